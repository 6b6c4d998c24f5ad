// Events of other servers: what is taken of them, what becomes of the room, and what clients are told.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "room_graph_fixture.h"

namespace backplane::room_server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

using ReceiveEventsTest = RoomGraphFixture;

TEST_F(ReceiveEventsTest, an_event_becomes_part_of_the_room) {
  const EventId join = join_dave();
  EXPECT_EQ(membership(room, dave), "join");
  const auto record = records().back();
  EXPECT_EQ(record.kind, api::RoomEventKind::new_event);
  EXPECT_EQ(record.event_id, join);
  EXPECT_EQ(record.membership->before, "");
  EXPECT_EQ(record.membership->after, "join");
  EXPECT_EQ(record.state_change->new_event_id, join);
  const auto sent = send(room, alice, "hello");
  ASSERT_EQ(outcome(sent), "ok");
  EXPECT_THAT(prev_events_of(sent->event_id), ElementsAre(join));
}

TEST_F(ReceiveEventsTest, is_one_commit_and_nothing_the_second_time) {
  const EventId join = far_member(dave, dave, "join", {last_local()});
  const EventId message = far_message(dave, {join});
  const auto before = commits();
  EXPECT_THAT(receive_all({join, message}), ElementsAre(ReceivedOutcome::accepted, ReceivedOutcome::accepted));
  EXPECT_EQ(commits(), before + 1);
  const auto told = records().size();
  EXPECT_THAT(receive_all({join, message}), ElementsAre(ReceivedOutcome::known, ReceivedOutcome::known));
  EXPECT_EQ(commits(), before + 1);
  EXPECT_EQ(records().size(), told);
}

TEST_F(ReceiveEventsTest, events_come_in_any_order) {
  const EventId join = far_member(dave, dave, "join", {last_local()});
  const EventId first = far_message(dave, {join});
  const EventId second = far_message(dave, {first});
  EXPECT_THAT(receive_all({second, first, join}),
              ElementsAre(ReceivedOutcome::accepted, ReceivedOutcome::accepted, ReceivedOutcome::accepted));
  EXPECT_EQ(records().back().event_id, second);
}

TEST_F(ReceiveEventsTest, what_is_missing_is_named) {
  const EventId join = join_dave();
  const EventId lost = far_message(dave, {join});
  const EventId message = far_message(dave, {lost});
  const auto results = receive({received(message)});
  EXPECT_EQ(results[0].outcome, ReceivedOutcome::incomplete);
  EXPECT_THAT(results[0].missing_prev_events, ElementsAre(lost));
  EXPECT_THAT(results[0].missing_auth_events, IsEmpty());
  EXPECT_THAT(receive_all({message, lost}), ElementsAre(ReceivedOutcome::accepted, ReceivedOutcome::accepted));
}

TEST_F(ReceiveEventsTest, what_is_no_event_of_the_room_is_invalid) {
  const auto other = make_room("public_chat", "11");
  const EventId join = far_member(dave, dave, "join", {last_local()});
  auto results = rooms->receive_events({}, {other, {received(join)}});
  EXPECT_EQ(results->results[0].outcome, ReceivedOutcome::invalid);
  EXPECT_NE(results->results[0].reason, "");
  for (const char* const text : {"{}", "nonsense"}) {
    api::ReceivedEvent event;
    event.event.text = text;
    EXPECT_EQ(receive({event})[0].outcome, ReceivedOutcome::invalid);
  }
  EXPECT_EQ(outcome(rooms->receive_events({}, {RoomId("!none:far.example"), {}})), "not_found/unknown_room");
}

TEST_F(ReceiveEventsTest, what_is_not_allowed_is_rejected_and_changes_nothing) {
  const EventId join = join_dave();
  const auto told = records().size();
  const EventId stranger = far_message(erin, {join});
  const EventId topic = far_topic(dave, "mine now", {join});
  EXPECT_THAT(receive_all({stranger, topic}), ElementsAre(ReceivedOutcome::rejected, ReceivedOutcome::rejected));
  EXPECT_EQ(records().size(), told);
  EXPECT_EQ(state(room, alice, "m.room.topic"), "not_found/unknown_state");
  // Nobody follows them here; who does so elsewhere is taken.
  EXPECT_THAT(prev_events_of(send(room, alice, "hello")->event_id), ElementsAre(join));
  EXPECT_EQ(receive_one(far_message(dave, {topic})), ReceivedOutcome::accepted);
}

TEST_F(ReceiveEventsTest, branches_meet_in_the_next_event) {
  const EventId join = join_dave();
  const EventId one = far_message(dave, {join});
  const EventId other = far_message(dave, {join});
  receive_all({one, other});
  const auto sent = send(room, alice, "together");
  EXPECT_THAT(prev_events_of(sent->event_id), UnorderedElementsAre(one, other));
  EXPECT_THAT(prev_events_of(send(room, alice, "on")->event_id), ElementsAre(sent->event_id));
}

TEST_F(ReceiveEventsTest, branches_are_still_there_after_a_restart) {
  const EventId join = join_dave();
  const EventId one = far_message(dave, {join});
  const EventId other = far_message(dave, {join});
  receive_all({one, other});
  restart();
  EXPECT_THAT(prev_events_of(send(room, alice, "together")->event_id), UnorderedElementsAre(one, other));
  restart();
  EXPECT_EQ(prev_events_of(send(room, alice, "on")->event_id).size(), 1U);
}

TEST_F(ReceiveEventsTest, many_branches_are_brought_together) {
  const EventId join = join_dave();
  std::vector<EventId> branches;
  for (int i = 0; i < 15; ++i) branches.push_back(far_message(dave, {join}));
  receive_all({branches.begin(), branches.begin() + 10});
  const auto told = records().size();
  receive_all({branches.begin() + 10, branches.end()});
  EXPECT_EQ(records().size(), told + 5) << "of the event that brings them together nobody is told";
  restart();
  const auto sent = send(room, alice, "hello");
  const auto prev_events = prev_events_of(sent->event_id);
  ASSERT_EQ(prev_events.size(), 1U);
  EXPECT_EQ(event_of(prev_events.front()).type(), "org.matrix.dummy_event");
  EXPECT_THAT(prev_events_of(prev_events.front()), ::testing::UnorderedElementsAreArray(branches));
}

TEST_F(ReceiveEventsTest, who_is_banned_meanwhile_is_not_heard) {
  const EventId join = join_dave();
  ASSERT_EQ(outcome(ban(room, alice, dave)), "ok");
  const EventId ban_event = last_local();
  const auto told = records().size();
  const EventId late = far_message(dave, {join});  // as if the ban were not there
  EXPECT_EQ(receive_one(late), ReceivedOutcome::soft_failed);
  EXPECT_EQ(records().size(), told);
  EXPECT_THAT(prev_events_of(send(room, alice, "peace")->event_id), ElementsAre(ban_event));
}

TEST_F(ReceiveEventsTest, who_follows_what_is_not_heard_follows_what_that_follows) {
  const EventId join = join_dave();
  const EventId frank_join = far_member(frank, frank, "join", {join});
  ASSERT_EQ(receive_one(frank_join), ReceivedOutcome::accepted);
  ASSERT_EQ(outcome(ban(room, alice, dave)), "ok");
  tell();
  const EventId ban_event = last_local();
  const EventId late = far_message(dave, {frank_join});
  ASSERT_EQ(receive_one(late), ReceivedOutcome::soft_failed);
  const EventId answer = far_message(frank, {late, ban_event});
  EXPECT_EQ(receive_one(answer), ReceivedOutcome::accepted);
  EXPECT_THAT(prev_events_of(send(room, alice, "on")->event_id), ElementsAre(answer));
}

TEST_F(ReceiveEventsTest, a_ban_on_one_branch_wins_over_what_the_banned_does_on_the_other) {
  join_dave_with_power();
  tell();
  const EventId before = last_local();
  ASSERT_EQ(outcome(ban(room, alice, dave)), "ok");
  tell();
  const EventId topic = far_topic(dave, "still here", {before});
  EXPECT_EQ(receive_one(topic), ReceivedOutcome::soft_failed);
  // Somebody else takes both branches up.
  const EventId frank_join = far_member(frank, frank, "join", {topic, last_local()});
  EXPECT_EQ(receive_one(frank_join), ReceivedOutcome::accepted);
  EXPECT_EQ(membership(room, dave), "ban");
  EXPECT_EQ(state(room, alice, "m.room.topic"), "not_found/unknown_state");
}

/// The event that takes Bob out of the room is older, in the order here, than what made it current.
TEST_F(ReceiveEventsTest, who_left_by_resolution_can_forget_the_room) {
  join_dave_with_power();
  ASSERT_EQ(outcome(join(room, bob)), "ok");
  tell();
  const EventId kick = far_member(dave, bob, "leave", {last_local()});
  ASSERT_EQ(receive_one(kick, ReceivedKind::outlier), ReceivedOutcome::accepted);
  const EventId message = far_message(dave, {kick});
  api::ReceivedEvent event = received(message);
  event.state_before.emplace();
  for (const auto& entry : graph->resolve({kick})) event.state_before->push_back(entry.second);
  ASSERT_EQ(receive({event}).front().outcome, ReceivedOutcome::accepted);
  ASSERT_EQ(membership(room, bob), "leave");
  EXPECT_EQ(outcome(rooms->get_state({}, {room, bob})), "ok");
  const auto forgotten = rooms->forget_room({}, {room, bob});
  ASSERT_EQ(outcome(forgotten), "ok");
  EXPECT_EQ(outcome(rooms->get_state({}, {room, bob})), "denied/not_in_room");
  const auto again = rooms->forget_room({}, {room, bob});
  ASSERT_EQ(outcome(again), "ok");
  EXPECT_EQ(again->position, forgotten->position);
}

TEST_F(ReceiveEventsTest, a_change_by_resolution_is_told) {
  join_dave_with_power();
  tell();
  const EventId before = last_local();
  const EventId kick = far_member(dave, frank, "invite", {before});
  ASSERT_EQ(receive_one(kick), ReceivedOutcome::accepted);
  EXPECT_EQ(membership(room, frank), "invite");
  // Elsewhere Alice took Dave's power at the same time, which undoes what he did with it.
  const EventId demotion = far(alice, "m.room.power_levels", "",
                               R"({"invite":50,"users":{"@alice:test.example":100,"@dave:far.example":0}})", {before});
  ASSERT_EQ(receive_one(demotion), ReceivedOutcome::accepted);
  EXPECT_EQ(state(room, alice, "m.room.power_levels"),
            R"({"invite":50,"users":{"@alice:test.example":100,"@dave:far.example":0}})");
  EXPECT_EQ(membership(room, frank), "");
  // What changed beside the event is told before it.
  const auto all = records();
  EXPECT_EQ(all.back().event_id, demotion);
  const auto& changed = all[all.size() - 2];
  ASSERT_EQ(changed.kind, api::RoomEventKind::state_changed);
  EXPECT_EQ(changed.state_change->type, "m.room.member");
  EXPECT_EQ(changed.state_change->state_key, frank.str());
  EXPECT_EQ(changed.state_change->old_event_id, kick);
  EXPECT_EQ(changed.state_change->new_event_id, EventId());
  EXPECT_EQ(changed.membership->before, "invite");
  EXPECT_EQ(changed.membership->after, "leave");
  // The snapshot tells the same.
  const auto told = rooms->list_room_events({}, {"", 1000});
  std::vector<std::string> payloads;
  for (const auto& record : told->records) payloads.push_back(record.payload.text);
  std::vector<std::string> published;
  for (const auto& record : host.records("room_events")) published.push_back(record->payload);
  EXPECT_EQ(payloads, published);
  restart();
  EXPECT_EQ(membership(room, frank), "");
  EXPECT_EQ(outcome(send(room, alice, "on")), "ok");
}

TEST_F(ReceiveEventsTest, an_outlier_has_no_place_until_it_comes_again) {
  const EventId join = far_member(dave, dave, "join", {last_local()});
  const auto told = records().size();
  EXPECT_EQ(receive_one(join, ReceivedKind::outlier), ReceivedOutcome::accepted);
  EXPECT_EQ(records().size(), told);
  EXPECT_EQ(membership(room, dave), "");
  EXPECT_EQ(receive_one(join, ReceivedKind::outlier), ReceivedOutcome::known);
  EXPECT_EQ(receive_one(join), ReceivedOutcome::accepted);
  EXPECT_EQ(membership(room, dave), "join");
  EXPECT_EQ(records().back().event_id, join);
  restart();
  EXPECT_THAT(prev_events_of(send(room, alice, "on")->event_id), ElementsAre(join));
}

TEST_F(ReceiveEventsTest, a_gap_is_bridged_by_the_state_that_others_say) {
  const EventId join = join_dave();
  const EventId lost_join = far_member(erin, erin, "join", {join});
  const EventId lost = far_message(erin, {lost_join});
  const EventId message = far_message(erin, {lost});
  ASSERT_EQ(receive_one(lost_join, ReceivedKind::outlier), ReceivedOutcome::accepted);
  api::ReceivedEvent event = received(message);
  event.state_before.emplace();
  for (const auto& [state_key, event_id] : graph->state_after(lost)) event.state_before->push_back(event_id);
  EXPECT_EQ(receive({event})[0].outcome, ReceivedOutcome::accepted);
  EXPECT_EQ(membership(room, erin), "join") << "both branches have her, or one has and the other says nothing";
  EXPECT_THAT(prev_events_of(send(room, alice, "on")->event_id), UnorderedElementsAre(join, message));
  // What was missing comes late: it is in its place, and nobody follows it.
  const EventId after = records().back().event_id;
  EXPECT_THAT(receive_all({lost_join, lost}, ReceivedKind::history),
              ElementsAre(ReceivedOutcome::accepted, ReceivedOutcome::accepted));
  EXPECT_EQ(records().back().kind, api::RoomEventKind::history);
  EXPECT_THAT(prev_events_of(send(room, alice, "on")->event_id), ElementsAre(after));
}

TEST_F(ReceiveEventsTest, a_redaction_takes_away_what_an_event_says) {
  const EventId join = join_dave();
  const EventId message = far_message(dave, {join});
  const EventId redaction =
      far(dave, "m.room.redaction", std::nullopt, R"({"redacts":")" + message.str() + "\"}", {message});
  receive_all({message, redaction});
  EXPECT_EQ(event_of(message).content(), "{}");
  EXPECT_NE(body(message).event.text.find("redacted_because"), std::string::npos);
  EXPECT_EQ(records().back().kind, api::RoomEventKind::redacted);
  EXPECT_EQ(records().back().event_id, message);
}

TEST_F(ReceiveEventsTest, a_redaction_waits_for_its_event) {
  const EventId join = join_dave();
  const EventId message = far_message(dave, {join});
  const EventId redaction =
      far(dave, "m.room.redaction", std::nullopt, R"({"redacts":")" + message.str() + "\"}", {join});
  for (const bool together : {true, false}) {
    if (together) {
      receive_all({redaction, message});
    } else {
      const EventId topic = far_topic(alice, "secret", {join});
      const EventId later =
          far(alice, "m.room.redaction", std::nullopt, R"({"redacts":")" + topic.str() + "\"}", {join});
      receive_one(later);
      restart();
      EXPECT_EQ(receive_one(topic), ReceivedOutcome::accepted);
      EXPECT_EQ(state(room, alice, "m.room.topic"), "{}");
      EXPECT_EQ(event_of(topic).content(), "{}");
    }
    EXPECT_EQ(event_of(message).content(), "{}");
  }
}

TEST_F(ReceiveEventsTest, what_was_redacted_stays_so_when_its_place_becomes_known) {
  const EventId join = join_dave();
  const EventId topic = far_topic(alice, "secret", {join});
  const EventId redaction =
      far(alice, "m.room.redaction", std::nullopt, R"({"redacts":")" + topic.str() + "\"}", {join});
  EXPECT_EQ(receive_one(topic, ReceivedKind::outlier), ReceivedOutcome::accepted);
  EXPECT_EQ(receive_one(redaction), ReceivedOutcome::accepted);
  EXPECT_EQ(event_of(topic).content(), "{}");
  EXPECT_EQ(receive_one(topic), ReceivedOutcome::accepted);
  EXPECT_EQ(event_of(topic).content(), "{}");
  EXPECT_EQ(state(room, alice, "m.room.topic"), "{}");
}

TEST_F(ReceiveEventsTest, a_redaction_by_somebody_without_the_right_takes_nothing_away) {
  join_dave();
  const auto sent = send(room, alice, "mine");
  tell();
  const EventId redaction =
      far(dave, "m.room.redaction", std::nullopt, R"({"redacts":")" + sent->event_id.str() + "\"}", {last_local()});
  EXPECT_EQ(receive_one(redaction), ReceivedOutcome::accepted);
  EXPECT_EQ(event_of(sent->event_id).content(), R"({"body":"mine"})");
}

TEST_F(ReceiveEventsTest, the_state_before_an_event_is_that_of_its_branch) {
  const EventId join = join_dave();
  ASSERT_EQ(outcome(put_state(room, alice, "m.room.topic", R"({"topic":"here"})")), "ok");
  tell();
  const EventId message = far_message(dave, {join});
  receive_one(message);
  for (const EventId& event_id : {message, last_local(), join}) {
    const auto at = rooms->get_state_at_event({}, {room, event_id, true});
    ASSERT_EQ(outcome(at), "ok");
    matrix::StateMap expected = graph->resolve(graph->find(event_id).event.prev_events());
    std::set<EventId> state;
    for (const auto& [state_key, id] : expected) state.insert(id);
    EXPECT_EQ(std::set<EventId>(at->state.begin(), at->state.end()), state);
    std::set<EventId> chain;
    std::vector<EventId> left = at->state;
    while (!left.empty()) {
      const EventId next = left.back();
      left.pop_back();
      for (const EventId& cited : graph->find(next).event.auth_events()) {
        if (!state.contains(cited) && chain.insert(cited).second) left.push_back(cited);
      }
    }
    EXPECT_EQ(std::set<EventId>(at->auth_chain.begin(), at->auth_chain.end()), chain);
  }
  EXPECT_EQ(outcome(rooms->get_state_at_event({}, {room, EventId("$none"), false})), "not_found/unknown_event");
}

TEST_F(ReceiveEventsTest, the_history_before_events_is_answered_deepest_first) {
  const EventId join = join_dave();
  const EventId one = far_message(dave, {join});
  const EventId other = far_message(dave, {join});
  const EventId rejected = far_topic(dave, "no", {one});
  const EventId last = far_message(dave, {rejected, other});
  receive_all({one, other, rejected, last});
  const auto ids = [&](api::ListEarlierEventsRequest request) {
    request.room_id = room;
    const auto found = rooms->list_earlier_events({}, request);
    EXPECT_EQ(outcome(found), "ok");
    std::vector<EventId> event_ids;
    for (const auto& event : found->events) event_ids.push_back(event.event_id);
    return event_ids;
  };
  api::ListEarlierEventsRequest request;
  request.from = {last};
  request.until = {join};
  EXPECT_THAT(ids(request), UnorderedElementsAre(one, other));
  request.with_from = true;
  EXPECT_THAT(ids(request), UnorderedElementsAre(last, one, other));
  request.until.clear();
  request.limit = 2;
  EXPECT_EQ(ids(request).front(), last);
  EXPECT_EQ(ids(request).size(), 2U);
  request.limit = 1000;
  EXPECT_EQ(ids(request).back(), graph->create_event());
  request.min_depth = event_of(join).depth();
  EXPECT_EQ(ids(request).back(), join);
  EXPECT_EQ(outcome(rooms->list_earlier_events({}, {RoomId("!none"), {last}, false, {}, 0, 1})),
            "not_found/unknown_room");
}

TEST_F(ReceiveEventsTest, a_room_has_one_create_event) {
  const EventId create = far(alice, "m.room.create", "", R"({"room_version":"11"})", {});
  EXPECT_EQ(receive_one(create), ReceivedOutcome::rejected);
  EXPECT_EQ(outcome(send(room, alice, "on")), "ok");
}

TEST_F(ReceiveEventsTest, a_failed_write_is_told_and_may_be_repeated) {
  const EventId join = far_member(dave, dave, "join", {last_local()});
  host.fail_writes("room_server", unavailable("disk_full", "no space"));
  EXPECT_EQ(outcome(rooms->receive_events({}, {room, {received(join)}})), "unavailable/disk_full");
  EXPECT_EQ(membership(room, dave), "");
  EXPECT_EQ(receive_one(join), ReceivedOutcome::accepted);
}

TEST_F(ReceiveEventsTest, what_is_rejected_covers_nothing) {
  const EventId join = join_dave();
  const EventId lost = far_message(dave, {join});
  api::ReceivedEvent stranger = received(far_message(erin, {lost}));
  stranger.state_before.emplace();
  for (const auto& [state_key, event_id] : graph->state_after(lost)) stranger.state_before->push_back(event_id);
  EXPECT_EQ(receive({stranger})[0].outcome, ReceivedOutcome::rejected);
  EXPECT_EQ(receive_one(lost), ReceivedOutcome::accepted);
  EXPECT_THAT(prev_events_of(send(room, alice, "on")->event_id), ElementsAre(lost));
}

TEST_F(ReceiveEventsTest, an_outlier_may_get_its_place_in_the_same_request) {
  const EventId join = far_member(dave, dave, "join", {last_local()});
  const auto results = receive({received(join, ReceivedKind::outlier), received(join)});
  EXPECT_EQ(results[0].outcome, ReceivedOutcome::accepted);
  EXPECT_EQ(results[1].outcome, ReceivedOutcome::accepted);
  restart();
  EXPECT_EQ(membership(room, dave), "join");
  EXPECT_EQ(receive_one(far_message(dave, {join})), ReceivedOutcome::accepted);
}

TEST_F(ReceiveEventsTest, one_event_that_no_database_takes_does_not_hinder_others) {
  const EventId join = join_dave();
  const EventId type = far(dave, std::string("bad\0type", 8), std::nullopt, "{}", {join});
  const EventId good = far_message(dave, {join});
  auto results = receive({received(type), received(good)});
  EXPECT_EQ(results[0].outcome, ReceivedOutcome::invalid);
  EXPECT_EQ(results[1].outcome, ReceivedOutcome::accepted);
  const EventId redaction = far(dave, "m.room.redaction", std::nullopt, R"({"redacts":"a\u0000b"})", {good});
  EXPECT_EQ(receive_one(redaction), ReceivedOutcome::accepted);
  const EventId twice = far_message(dave, {redaction});
  api::ReceivedEvent after_gap = received(far_message(dave, {far_message(dave, {twice})}));
  EXPECT_EQ(receive({received(twice), after_gap})[0].outcome, ReceivedOutcome::accepted);
}

TEST_F(ReceiveEventsTest, a_redaction_that_is_not_allowed_is_not_told) {
  const EventId join = join_dave();
  const EventId said = send(room, alice, "mine")->event_id;
  tell();
  const auto told = records().size();
  const EventId redaction = far(dave, "m.room.redaction", std::nullopt, R"({"redacts":")" + said.str() + "\"}", {said});
  EXPECT_EQ(receive_one(redaction), ReceivedOutcome::accepted);
  EXPECT_EQ(records().size(), told);
  EXPECT_EQ(body(said).content_version, 0);
  EXPECT_THAT(prev_events_of(send(room, alice, "on")->event_id), ElementsAre(redaction));
}

TEST_F(ReceiveEventsTest, what_clients_heard_of_a_redacted_state_goes_from_whatever_came_in_its_place) {
  join_dave_with_power();
  const EventId first = put_state(room, alice, "m.room.topic", R"({"topic":"first"})")->event_id;
  tell();
  // Both branches replace it; only one of them is current in the end.
  const EventId one = far_topic(dave, "second", {first});
  const EventId other = far_topic(dave, "third", {first});
  ASSERT_THAT(receive_all({one, other}), ElementsAre(ReceivedOutcome::accepted, ReceivedOutcome::accepted));
  ASSERT_EQ(outcome(redact(room, alice, first)), "ok");
  for (const EventId& event_id : {one, other})
    EXPECT_EQ(body(event_id).event.text.find("\"first\""), std::string::npos) << body(event_id).event.text;
}

TEST_F(ReceiveEventsTest, a_redaction_that_was_purged_is_not_waited_with) {
  const EventId join = join_dave();
  const EventId message = far_message(dave, {join});
  const EventId redaction =
      far(dave, "m.room.redaction", std::nullopt, R"({"redacts":")" + message.str() + "\"}", {join});
  receive_all({redaction, far_message(dave, {redaction})});
  ASSERT_EQ(outcome(send(room, alice, "on")), "ok");
  ASSERT_EQ(outcome(rooms->purge_history({}, {room, send(room, alice, "from here")->event_id, 0})), "ok");
  host.advance(std::chrono::minutes(1));
  EXPECT_EQ(receive_one(message), ReceivedOutcome::accepted);
  EXPECT_EQ(outcome(send(room, alice, "still")), "ok");
}

TEST_F(ReceiveEventsTest, what_has_no_place_in_the_order_goes_by_when_it_came) {
  using std::chrono_literals::operator""h;
  using std::chrono_literals::operator""s;
  const auto pass = [&] {
    for (int i = 0; i < 100; ++i) host.advance(20s);
  };
  const EventId join = join_dave();
  const EventId early = far_message(dave, {join}), later = far_message(dave, {early});
  host.stop();
  start({{"history_lifetime", std::int64_t{Duration(24h).count()}}});
  EXPECT_EQ(receive_one(early, ReceivedKind::history), ReceivedOutcome::accepted);
  host.advance(23h);
  EXPECT_EQ(receive_one(later, ReceivedKind::history), ReceivedOutcome::accepted);
  pass();
  EXPECT_EQ(rooms->get_events({}, {{early, later}})->events.size(), 2U);
  host.advance(1h);
  pass();
  // Nobody here has said anything: that alone makes the purge.
  const auto left = rooms->get_events({}, {{early, later}})->events;
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].event_id, later);
  EXPECT_EQ(records().back().kind, api::RoomEventKind::purged);
}

TEST_F(ReceiveEventsTest, a_forward_extremity_stays_whatever_its_age_and_depth) {
  using std::chrono_literals::operator""h;
  using std::chrono_literals::operator""s;
  const EventId join = join_dave();
  // More branches than may stay open: an event of nobody's notice brings them together.
  std::vector<EventId> branches;
  for (int i = 0; i < 12; ++i) branches.push_back(far_message(dave, {join}));
  receive_all(branches);
  host.stop();
  start({{"history_lifetime", std::int64_t{Duration(24h).count()}}});
  for (int round = 0; round < 2; ++round) {
    host.advance(25h);
    for (int i = 0; i < 100; ++i) host.advance(20s);
  }
  EXPECT_EQ(host.metric("room_server", "purges_total", {{"by", "lifetime"}}), 1);
  EXPECT_EQ(host.count("room_server", "SELECT COUNT(*) FROM events WHERE state_key IS NULL"), 1);
  host.stop();
  start();
  EXPECT_EQ(outcome(send(room, alice, "on")), "ok");
}

/// Room version 1: senders choose the ids of their events.
struct ChosenIdsTest : RoomFixture {
  EventId state_id(const RoomId& room, std::string type) {
    return rooms->get_state_event({}, {room, alice, std::move(type), ""})->event.event_id;
  }
  api::ReceivedEvent far(const RoomId& room, std::string event_id, std::optional<std::string> state_key,
                         std::string content, ReceivedKind kind) {
    matrix::EventDraft draft;
    draft.room_id = room;
    draft.event_id = EventId(std::move(event_id));
    draft.sender = dave;
    draft.type = state_key ? "m.room.member" : "m.room.message";
    draft.state_key = std::move(state_key);
    draft.content = std::move(content);
    draft.prev_events = {records_of(room).back()};
    draft.auth_events = {state_id(room, "m.room.create"), state_id(room, "m.room.power_levels"),
                         draft.state_key ? state_id(room, "m.room.join_rules") : EventId("$join:far.example")};
    draft.depth = 20;
    draft.origin_server_ts = 1;
    draft.prev_event_hashes.resize(draft.prev_events.size());
    draft.auth_event_hashes.resize(draft.auth_events.size());
    const auto built = matrix::build_event(draft, *matrix::find_room_version("1"), key);
    EXPECT_EQ(outcome(built), "ok");
    return {{std::string(built->json())}, kind, std::nullopt};
  }
  api::ReceivedEvent join(const RoomId& room) {
    return far(room, "$join:far.example", dave.str(), member_content("join"), ReceivedKind::new_event);
  }
  api::ReceivedEvent message(const RoomId& room, const std::string& text, ReceivedKind kind = ReceivedKind::new_event) {
    return far(room, "$said:far.example", std::nullopt, R"({"body":")" + text + "\"}", kind);
  }
  ReceivedOutcome receive(const RoomId& room, api::ReceivedEvent event) {
    return rooms->receive_events({}, {room, {std::move(event)}})->results[0].outcome;
  }
  std::vector<EventId> records_of(const RoomId& room) {
    std::vector<EventId> ids;
    for (const auto& record : records())
      if (record.room_id == room) ids.push_back(record.event_id);
    return ids;
  }

  testing::FakeRandom chance{7};
  const matrix::SigningKey key = std::move(*matrix::SigningKey::generate("far", chance));
};

TEST_F(ChosenIdsTest, the_first_of_two_events_with_an_id_has_it) {
  const RoomId room = make_room("public_chat", "1");
  ASSERT_EQ(receive(room, join(room)), ReceivedOutcome::accepted);
  ASSERT_EQ(receive(room, message(room, "first", ReceivedKind::outlier)), ReceivedOutcome::accepted);
  EXPECT_EQ(receive(room, message(room, "second")), ReceivedOutcome::known);
  EXPECT_EQ(receive(room, message(room, "first")), ReceivedOutcome::accepted);
  EXPECT_EQ(records().back().event_id, EventId("$said:far.example"));
}

TEST_F(ChosenIdsTest, another_room_may_have_the_same_id) {
  const RoomId one = make_room("public_chat", "1"), other = make_room("public_chat", "1");
  for (const RoomId& room : {one, other}) {
    ASSERT_EQ(receive(room, join(room)), ReceivedOutcome::accepted);
    ASSERT_EQ(receive(room, message(room, "hello")), ReceivedOutcome::accepted);
  }
  restart();
  for (const RoomId& room : {one, other}) {
    EXPECT_EQ(receive(room, join(room)), ReceivedOutcome::known);
    EXPECT_EQ(membership(room, dave), "join");
    EXPECT_EQ(outcome(send(room, alice, "on")), "ok");
  }
}

/// Rooms in which users of several servers fight, and whose events come here in a random order.
struct RandomRoomsTest : ReceiveEventsTest, ::testing::WithParamInterface<std::tuple<const char*, int>> {};

TEST_P(RandomRoomsTest, have_the_state_of_their_tips) {
  const auto& [version, seed] = GetParam();
  begin("public_chat", version);
  // With nobody here, who would bring branches together.
  join_dave();
  const std::string owners = graph->version().privileged_creators ? "" : R"("@alice:test.example":100,)";
  ASSERT_EQ(
      outcome(put_state(room, alice, "m.room.power_levels", R"({"users":{)" + owners + R"("@dave:far.example":100}})")),
      "ok");
  ASSERT_EQ(outcome(leave(room, alice)), "ok");
  const std::vector<std::string> users{dave.str(), erin.str(), frank.str(), "@g:far.example", "@h:farther.example"};
  matrix::Fight fight(*matrix::find_room_version(version), static_cast<std::uint64_t>(seed), all_events(), key, users);
  fight.grow(60);
  const std::size_t own = all_events().size();
  std::vector<EventId> order(fight.room.events().begin() + static_cast<std::ptrdiff_t>(own), fight.room.events().end());
  graph.emplace(fight.room);
  std::map<EventId, ReceivedOutcome> outcomes;
  for (const auto& event : all_events()) outcomes[event.event_id()] = ReceivedOutcome::accepted;
  // In batches, of which each is shuffled.
  std::mt19937_64 dice(static_cast<std::uint64_t>(seed));
  for (std::size_t done = 0; done < order.size();) {
    std::vector<EventId> batch;
    for (std::size_t n = 1 + dice() % 12; n > 0 && done < order.size(); --n) batch.push_back(order[done++]);
    std::ranges::shuffle(batch, dice);
    const auto became = receive_all(batch);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      ASSERT_NE(became[i], ReceivedOutcome::incomplete);
      ASSERT_EQ(became[i] == ReceivedOutcome::rejected, fight.room.is_rejected(batch[i]));
      outcomes[batch[i]] = became[i];
    }
    if (dice() % 5 == 0) restart();
  }

  std::set<EventId> followed;
  std::set<EventId> tips;
  const auto follow = [&](auto& self, const EventId& event_id) -> void {
    for (const EventId& prev : fight.room.find(event_id).event.prev_events()) {
      if (followed.insert(prev).second && outcomes.at(prev) != ReceivedOutcome::accepted) self(self, prev);
    }
  };
  for (const auto& [event_id, became] : outcomes) {
    if (became == ReceivedOutcome::accepted) follow(follow, event_id);
  }
  for (const auto& [event_id, became] : outcomes) {
    if (became == ReceivedOutcome::accepted && !followed.contains(event_id)) tips.insert(event_id);
  }
  std::map<std::pair<std::string, std::string>, std::string> expected, found;
  for (const auto& [state_key, event_id] : fight.room.resolve({tips.begin(), tips.end()}))
    expected[{state_key.type, state_key.state_key}] = event_id.str();
  for (const auto& record : records()) {
    if (record.room_id != room || !record.state_change) continue;
    const auto& [type, state_key, before, now] = *record.state_change;
    std::string& current = found[{type, state_key}];
    ASSERT_EQ(current, before.str());
    current = now.str();
    if (now.empty()) found.erase({type, state_key});
  }
  EXPECT_EQ(found, expected);
}

INSTANTIATE_TEST_SUITE_P(Versions, RandomRoomsTest,
                         ::testing::Combine(::testing::Values("3", "6", "10", "11", "12"), ::testing::Range(1, 7)));

}  // namespace
}  // namespace backplane::room_server
