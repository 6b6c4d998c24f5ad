// Events that come before what they follow: what is asked of other servers, and what becomes of the room.
#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "far_server.h"
#include "room_graph_fixture.h"

namespace backplane::room_server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct MissingEventsTest : RoomGraphFixture {
  MissingEventsTest() { restart_with_others(); }
  void TearDown() override {
    RoomGraphFixture::TearDown();
    host.stop();  // before those whom it asks
  }

  void restart_with_others() {
    host.stop();
    host.provide(far_server.federation);
    host.provide(far_server.keys);
    start();
  }

  ReceivedOutcome receive_from(const std::string& origin, const EventId& event_id) {
    auto response = rooms->receive_events({}, {room, {received(event_id)}, ServerName(origin)});
    EXPECT_EQ(outcome(response), "ok") << response.error().text;
    return response ? response->results.front().outcome : ReceivedOutcome::invalid;
  }
  ReceivedOutcome receive_from_far(const EventId& event_id) { return receive_from("far.example", event_id); }
  std::vector<EventId> far_messages(EventId after, int count) {
    std::vector<EventId> messages;
    for (int i = 0; i < count; ++i) {
      messages.push_back(far_message(dave, {after}));
      after = messages.back();
    }
    return messages;
  }
  /// What clients were told of since there were so many records.
  std::vector<EventId> told_since(std::size_t count) {
    std::vector<EventId> told;
    for (const auto& record : records()) told.push_back(record.event_id);
    told.erase(told.begin(), told.begin() + static_cast<std::ptrdiff_t>(count));
    return told;
  }
  std::int64_t waiting() { return host.count("room_server", "SELECT COUNT(*) FROM waiting_events"); }

  FarServer far_server{graph};
};

TEST_F(MissingEventsTest, the_events_of_a_gap_are_fetched_and_come_in_their_order) {
  const auto messages = far_messages(join_dave(), 4);
  const auto before = records().size();
  EXPECT_EQ(receive_from_far(messages.back()), ReceivedOutcome::waiting);
  EXPECT_EQ(told_since(before), messages);
  EXPECT_THAT(far_server.asked, ElementsAre("get_missing_events far.example"));
  EXPECT_EQ(waiting(), 0);
  const auto sent = send(room, alice, "hello");
  ASSERT_EQ(outcome(sent), "ok");
  EXPECT_THAT(prev_events_of(sent->event_id), ElementsAre(messages.back()));
}

TEST_F(MissingEventsTest, behind_a_long_gap_the_state_is_taken_from_the_other_server) {
  const EventId erins = far_member(erin, erin, "join", {join_dave()});
  const auto messages = far_messages(erins, 30);
  const auto before = records().size();
  EXPECT_EQ(receive_from_far(messages.back()), ReceivedOutcome::waiting);
  EXPECT_EQ(membership(room, erin), "join");
  const auto told = told_since(before);
  // Erin, who came with the state, the one that the others follow, twenty, and the last.
  ASSERT_THAT(told, SizeIs(23));
  EXPECT_EQ(told[0], erins);
  EXPECT_EQ(told[1], messages[8]);
  EXPECT_EQ(std::vector(told.begin() + 2, told.end()), std::vector(messages.begin() + 9, messages.end()));
  EXPECT_EQ(waiting(), 0);
}

TEST_F(MissingEventsTest, what_has_come_meanwhile_is_not_asked_for) {
  const auto messages = far_messages(join_dave(), 2);
  far_server.is_down = true;
  EXPECT_EQ(receive_from_far(messages[1]), ReceivedOutcome::waiting);
  far_server.asked.clear();
  EXPECT_EQ(receive_from_far(messages[0]), ReceivedOutcome::accepted);
  EXPECT_EQ(records().back().event_id, messages[1]) << "at once";
  EXPECT_EQ(waiting(), 0);
  EXPECT_THAT(far_server.asked, IsEmpty());
}

TEST_F(MissingEventsTest, what_waits_for_others_that_wait_comes_with_them) {
  const EventId join = join_dave();
  const auto messages = far_messages(join, 4);
  far_server.is_down = true;
  for (const int i : {3, 1, 2})
    EXPECT_EQ(receive_from_far(messages.at(static_cast<std::size_t>(i))), ReceivedOutcome::waiting);
  const auto before = records().size();
  EXPECT_EQ(receive_from_far(far_message(dave, {join})), ReceivedOutcome::accepted);
  EXPECT_EQ(waiting(), 3) << "they do not wait for this one";
  EXPECT_EQ(receive_from_far(messages[0]), ReceivedOutcome::accepted);
  const auto told = told_since(before);
  EXPECT_EQ(std::vector(told.begin() + 1, told.end()), messages);
  EXPECT_EQ(waiting(), 0);
}

TEST_F(MissingEventsTest, what_waits_is_given_up_after_some_attempts) {
  const auto messages = far_messages(join_dave(), 2);
  far_server.is_down = true;
  EXPECT_EQ(receive_from_far(messages[1]), ReceivedOutcome::waiting);
  const auto told = records().size();
  for (const auto pause : {1, 10, 60}) {
    far_server.asked.clear();
    host.advance(std::chrono::seconds(30));
    EXPECT_THAT(far_server.asked, IsEmpty());
    EXPECT_EQ(waiting(), 1);
    host.advance(std::chrono::minutes(pause));
    EXPECT_THAT(far_server.asked, ::testing::Not(IsEmpty()));
  }
  EXPECT_EQ(waiting(), 0);
  EXPECT_EQ(records().size(), told);
  EXPECT_EQ(host.metric("room_server", "waiting_events_given_up_total"), 1);
}

TEST_F(MissingEventsTest, what_waits_does_so_over_a_restart) {
  const auto messages = far_messages(join_dave(), 2);
  far_server.is_down = true;
  EXPECT_EQ(receive_from_far(messages[1]), ReceivedOutcome::waiting);
  far_server.is_down = false;
  restart_with_others();
  host.advance(std::chrono::minutes(2));
  EXPECT_EQ(records().back().event_id, messages[1]);
}

TEST_F(MissingEventsTest, the_server_stops_while_somebody_is_asked) {
  const auto messages = far_messages(join_dave(), 2);
  far_server.holds = true;
  EXPECT_EQ(receive_from_far(messages[1]), ReceivedOutcome::waiting);
  EXPECT_THAT(far_server.held, SizeIs(1));
  EXPECT_EQ(outcome(send(room, alice, "meanwhile")), "ok");
  far_server.stop();
  EXPECT_EQ(waiting(), 1);
  far_server.is_down = false;
  restart_with_others();
  host.advance(std::chrono::minutes(2));
  EXPECT_EQ(records().back().event_id, messages[1]);
}

TEST_F(MissingEventsTest, the_room_goes_on_while_somebody_is_asked) {
  const EventId join = join_dave();
  const auto messages = far_messages(join, 2);
  far_server.holds = true;
  EXPECT_EQ(receive_from_far(messages[1]), ReceivedOutcome::waiting);
  EXPECT_EQ(outcome(send(room, alice, "meanwhile")), "ok");
  const EventId other = far_message(dave, {join});
  EXPECT_EQ(receive_from_far(other), ReceivedOutcome::accepted);
  far_server.release();
  EXPECT_EQ(records().back().event_id, messages[1]);
  EXPECT_EQ(waiting(), 0);
}

TEST_F(MissingEventsTest, what_is_not_signed_is_not_taken) {
  const auto messages = far_messages(join_dave(), 3);
  far_server.forged.insert(messages[0]);
  const auto before = records().size();
  EXPECT_EQ(receive_from_far(messages[2]), ReceivedOutcome::waiting);
  EXPECT_THAT(told_since(before), IsEmpty());
  EXPECT_EQ(waiting(), 1);
}

TEST_F(MissingEventsTest, what_is_no_event_of_the_room_does_no_harm) {
  const auto messages = far_messages(join_dave(), 3);
  const RoomId other = make_room();
  const std::string foreign(body(records().back().event_id).event.text);
  far_server.more_events = {"{}", R"({"type":1})", foreign, R"({"type":"m.room.message","depth":1.5})"};
  const auto before = records().size();
  EXPECT_EQ(receive_from_far(messages[2]), ReceivedOutcome::waiting);
  EXPECT_EQ(told_since(before), messages);
}

TEST_F(MissingEventsTest, auth_events_that_are_missing_are_fetched) {
  const EventId join = join_dave();
  const EventId named = far(dave, "m.room.member", dave.str(), R"({"displayname":"D","membership":"join"})", {join});
  std::vector<EventId> auth_events = graph->find(far_message(dave, {join})).event.auth_events();
  std::erase(auth_events, join);
  auth_events.push_back(named);
  const EventId message =
      graph->add({dave.str(), "m.room.message", std::nullopt, R"({"body":"x"})", {join}, 0, auth_events});
  EXPECT_EQ(receive_from_far(message), ReceivedOutcome::waiting);
  EXPECT_EQ(records().back().event_id, message);
  EXPECT_THAT(far_server.asked, ElementsAre("get_event_auth far.example"));
  EXPECT_THAT(far_server.verified, ElementsAre(named)) << "the others are here";
}

TEST_F(MissingEventsTest, auth_events_of_the_event_behind_a_gap_are_fetched) {
  const EventId join = join_dave();
  const EventId named = far(dave, "m.room.member", dave.str(), R"({"displayname":"D","membership":"join"})", {join});
  std::vector<EventId> auth_events = graph->find(far_message(dave, {join})).event.auth_events();
  std::erase(auth_events, join);
  auth_events.push_back(named);
  const EventId behind =
      graph->add({dave.str(), "m.room.message", std::nullopt, R"({"body":"x"})", {join}, 0, auth_events});
  const auto messages = far_messages(behind, 21);
  EXPECT_EQ(receive_from_far(messages.back()), ReceivedOutcome::waiting);
  EXPECT_EQ(waiting(), 0);
  EXPECT_EQ(records().back().event_id, messages.back());
  EXPECT_THAT(far_server.asked, ElementsAre("get_missing_events far.example", "get_state_ids far.example",
                                            "get_event far.example", "get_event_auth far.example"));
}

TEST_F(MissingEventsTest, what_cannot_be_verified_is_not_fetched_again_at_once) {
  const auto messages = far_messages(join_dave(), 2);
  far_server.verify_error = internal_error("out of order");
  EXPECT_EQ(receive_from_far(messages.back()), ReceivedOutcome::waiting);
  EXPECT_THAT(far_server.asked, SizeIs(1));
  host.advance(std::chrono::seconds(45));
  EXPECT_THAT(far_server.asked, SizeIs(1));
  far_server.verify_error.reset();
  host.advance(std::chrono::seconds(30));
  EXPECT_EQ(waiting(), 0);
  EXPECT_EQ(records().back().event_id, messages.back());
}

TEST_F(MissingEventsTest, who_does_not_answer_is_asked_for_one_event_only) {
  const EventId join = join_dave();
  const EventId missing = far_message(dave, {join});
  far_server.is_down = true;
  std::vector<api::ReceivedEvent> events;
  for (int i = 0; i < 20; ++i) events.push_back(received(far_message(dave, {missing})));
  ASSERT_EQ(outcome(rooms->receive_events({}, {room, events, ServerName("far.example")})), "ok");
  EXPECT_EQ(waiting(), 20);
  EXPECT_THAT(far_server.asked, ElementsAre("get_missing_events far.example", "get_state_ids far.example"));
  far_server.is_down = false;
  host.advance(std::chrono::minutes(2));
  EXPECT_EQ(waiting(), 0);
}

TEST_F(MissingEventsTest, who_takes_too_long_is_not_asked_on) {
  const auto messages = far_messages(join_dave(), 30);
  far_server.when_asked = [&] { host.fake_clock().advance(std::chrono::seconds(70)); };
  EXPECT_EQ(receive_from_far(messages.back()), ReceivedOutcome::waiting);
  EXPECT_THAT(far_server.asked, SizeIs(2));
  EXPECT_EQ(waiting(), 1);
}

TEST_F(MissingEventsTest, of_too_many_ids_none_is_asked_for) {
  const auto messages = far_messages(join_dave(), 30);
  for (int i = 0; i < 500'001; ++i) far_server.more_ids.emplace_back("$" + std::to_string(i));
  EXPECT_EQ(receive_from_far(messages.back()), ReceivedOutcome::waiting);
  EXPECT_THAT(far_server.asked, ElementsAre("get_missing_events far.example", "get_state_ids far.example"));
}

/// Much of a state is asked for as a whole, and none of it is much because others of it are named again and again.
TEST_F(MissingEventsTest, ids_that_come_again_do_not_count) {
  const EventId join = join_dave();
  const auto messages = far_messages(join, 30);
  for (int i = 0; i < 100; ++i) far_server.more_ids.emplace_back("$" + std::to_string(i));
  far_server.more_ids.insert(far_server.more_ids.end(), 10'000, join);
  EXPECT_EQ(receive_from_far(messages.back()), ReceivedOutcome::waiting);
  EXPECT_THAT(far_server.asked, ElementsAre("get_missing_events far.example", "get_state_ids far.example",
                                            "get_state far.example", "get_event far.example"));
  EXPECT_EQ(waiting(), 0);
}

TEST_F(MissingEventsTest, only_what_servers_in_the_room_send_waits) {
  const auto messages = far_messages(join_dave(), 2);
  EXPECT_EQ(receive_from("farther.example", messages[1]), ReceivedOutcome::incomplete);
  EXPECT_EQ(waiting(), 0);
  EXPECT_THAT(far_server.asked, IsEmpty());
}

/// Neither white space nor `unsigned`, which nobody needs.
TEST_F(MissingEventsTest, what_waits_is_stored_in_its_canonical_form) {
  const auto messages = far_messages(join_dave(), 2);
  far_server.is_down = true;
  api::ReceivedEvent event = received(messages[1]);
  event.event.text.insert(1, R"( "unsigned": {"x": "y"}, )");
  ASSERT_EQ(outcome(rooms->receive_events({}, {room, {event}, ServerName("far.example")})), "ok");
  EXPECT_EQ(waiting(), 1);
  EXPECT_EQ(host.count("room_server", "SELECT COUNT(*) FROM waiting_events WHERE json LIKE '%unsigned%'"), 0);
}

/// Of what cites an event that nobody answers nothing is taken, and what is current stays.
TEST_F(MissingEventsTest, a_chain_with_a_hole_is_not_taken) {
  EventId last = join_dave();
  const EventId joined = last;
  std::vector<EventId> profiles;
  for (const char* const name : {"A", "B", "C", "D"}) {
    last = far(dave, "m.room.member", dave.str(),
               R"({"displayname":")" + std::string(name) + R"(","membership":"join"})", {last});
    profiles.push_back(last);
  }
  const auto messages = far_messages(last, 30);
  far_server.unknown.insert(profiles[1]);
  EXPECT_EQ(receive_from_far(messages.back()), ReceivedOutcome::waiting);
  EXPECT_EQ(waiting(), 1);
  const EventId later = far_message(dave, {joined});
  EXPECT_EQ(receive_from_far(later), ReceivedOutcome::accepted);
  EXPECT_EQ(state(room, alice, "m.room.member", dave.str()), member_content("join"));
}

struct OldEventsTest : MissingEventsTest {
  /// Of the room's messages only the last is here.
  void purge() {
    ASSERT_EQ(outcome(send(room, alice, "last")), "ok");
    ASSERT_EQ(outcome(rooms->purge_history({}, {room, records().back().event_id, 0})), "ok");
    host.advance(std::chrono::seconds(20));
    ASSERT_EQ(host.count("room_server", "SELECT COUNT(*) FROM purges"), 0);
  }
  std::vector<api::RoomEventKind> kinds_of(const EventId& event_id) {
    std::vector<api::RoomEventKind> kinds;
    for (const auto& record : records())
      if (record.event_id == event_id) kinds.push_back(record.kind);
    return kinds;
  }
};

TEST_F(OldEventsTest, what_was_purged_comes_back_as_history_when_it_is_followed) {
  const auto messages = far_messages(join_dave(), 5);
  for (const EventId& event_id : messages) ASSERT_EQ(receive_one(event_id), ReceivedOutcome::accepted);
  purge();
  const EventId late = far_message(dave, {messages[2]});
  EXPECT_EQ(receive_from_far(late), ReceivedOutcome::waiting);
  EXPECT_THAT(kinds_of(messages[2]),
              ElementsAre(api::RoomEventKind::new_event, api::RoomEventKind::purged, api::RoomEventKind::history));
  EXPECT_THAT(kinds_of(messages[1]), ElementsAre(api::RoomEventKind::new_event, api::RoomEventKind::purged));
  EXPECT_THAT(kinds_of(late), ElementsAre(api::RoomEventKind::new_event));
  EXPECT_EQ(waiting(), 0);
}

/// Who joined on a branch that comes as history is heard, and who is banned is not.
TEST_F(OldEventsTest, what_follows_history_is_looked_at_with_the_state_there) {
  const EventId join = join_dave();
  for (const EventId& event_id : far_messages(join, 5)) ASSERT_EQ(receive_one(event_id), ReceivedOutcome::accepted);
  purge();
  const EventId erins = far_member(erin, erin, "join", {join});
  const EventId first = far_message(erin, {erins});
  const EventId second = far_message(erin, {first});
  EXPECT_EQ(receive_from_far(second), ReceivedOutcome::waiting);
  EXPECT_THAT(kinds_of(first), ElementsAre(api::RoomEventKind::history));
  EXPECT_THAT(kinds_of(second), ElementsAre(api::RoomEventKind::new_event));
  EXPECT_EQ(membership(room, erin), "join");
  ASSERT_EQ(outcome(ban(room, alice, dave)), "ok");
  const EventId banned = far_message(dave, {first});
  EXPECT_EQ(receive_one(banned), ReceivedOutcome::soft_failed);
}

struct BackfillTest : MissingEventsTest {
  BackfillTest() : messages(far_messages(join_dave(), 60)) {
    receive_from_far(messages.back());
    far_server.asked.clear();
  }
  std::string backfill(std::int64_t depth, std::uint32_t limit = 20, std::int64_t from_depth = 0) {
    std::string came = "no answer";
    rooms->backfill({}, {room, depth, from_depth, limit}, [&](const Result<api::BackfillResponse>& response) {
      came = !response ? outcome(response) : response->came ? "came" : "nothing came";
    });
    return came;
  }
  std::int64_t depth_of(const EventId& event_id) { return graph->find(event_id).event.depth(); }
  bool is_here(const EventId& event_id) {
    const auto found = rooms->get_events({}, {{event_id}});
    return found && !found->events.empty();
  }
  const std::vector<EventId> messages;
};

TEST_F(BackfillTest, history_comes_page_by_page_until_there_is_no_gap) {
  ASSERT_TRUE(is_here(messages[38]));
  ASSERT_FALSE(is_here(messages[37]));
  const auto before = records().size();
  EXPECT_EQ(backfill(depth_of(messages[38])), "came");
  EXPECT_THAT(far_server.asked,
              ElementsAre("get_backfill far.example", "get_state_ids far.example", "get_event far.example"));
  EXPECT_TRUE(is_here(messages[37]));
  EXPECT_FALSE(is_here(messages[16]));
  const auto now = records();
  EXPECT_TRUE(std::all_of(now.begin() + static_cast<std::ptrdiff_t>(before), now.end(),
                          [](const auto& record) { return record.kind == api::RoomEventKind::history; }));
  EXPECT_EQ(backfill(0, 100), "came");
  EXPECT_THAT(told_since(before), ::testing::UnorderedElementsAreArray(messages.begin(), messages.begin() + 38));
  EXPECT_EQ(host.count("room_server", "SELECT COUNT(*) FROM backward_extremities"), 0);
  far_server.asked.clear();
  EXPECT_EQ(backfill(0), "nothing came");
  EXPECT_THAT(far_server.asked, IsEmpty());
}

TEST_F(BackfillTest, nobody_is_asked_for_what_is_below_the_page_or_above_it) {
  EXPECT_EQ(backfill(depth_of(messages[39])), "nothing came");
  EXPECT_EQ(backfill(0, 20, depth_of(messages[37])), "nothing came");
  EXPECT_THAT(far_server.asked, IsEmpty());
  EXPECT_EQ(backfill(depth_of(messages[38]), 20, depth_of(messages[38])), "came");
}

TEST_F(BackfillTest, who_has_nothing_does_no_harm) {
  far_server.is_down = true;
  EXPECT_EQ(backfill(0), "nothing came");
  far_server.is_down = false;
  far_server.asked.clear();
  EXPECT_EQ(backfill(0), "nothing came");
  EXPECT_THAT(far_server.asked, IsEmpty()) << "so soon";
  host.advance(std::chrono::seconds(61));
  far_server.unknown.insert(messages.begin(), messages.end());
  EXPECT_EQ(backfill(0), "nothing came");
  far_server.unknown.clear();
  host.advance(std::chrono::seconds(61));
  EXPECT_EQ(backfill(0), "came");
}

TEST_F(BackfillTest, who_asks_meanwhile_gets_the_same_answer) {
  far_server.holds = true;
  std::vector<bool> came;
  for (int i = 0; i < 2; ++i) {
    rooms->backfill({}, {room, 0, 0, 20},
                    [&](const Result<api::BackfillResponse>& response) { came.push_back(response && response->came); });
  }
  EXPECT_THAT(far_server.asked, SizeIs(1));
  EXPECT_THAT(came, IsEmpty());
  far_server.release();
  EXPECT_THAT(came, ElementsAre(true, true));
}

/// Spec: Server-Server API, GET /backfill: the numbers of prev_events and auth_events are not looked at.
TEST_F(BackfillTest, history_may_follow_more_events_than_new_events_may) {
  const std::vector<EventId> prev_events(21, messages[10]);
  const EventId wide = graph->add({dave.str(), "m.room.message", std::nullopt, R"({"body":"x"})", prev_events});
  api::ReceivedEvent event = received(wide);
  event.state_before = far_server.state_before(messages[10]);
  EXPECT_EQ(receive({event}).front().outcome, ReceivedOutcome::invalid);
  event.kind = ReceivedKind::history;
  EXPECT_EQ(receive({event}).front().outcome, ReceivedOutcome::accepted);
}

TEST_F(BackfillTest, the_state_at_history_is_known) {
  ASSERT_EQ(backfill(0, 100), "came");
  auto state = rooms->get_state_at_event({}, {room, messages[10]});
  ASSERT_EQ(outcome(state), "ok");
  EXPECT_THAT(state->state, ::testing::UnorderedElementsAreArray(far_server.state_before(messages[10])));
}

TEST_F(MissingEventsTest, only_so_many_wait) {
  EventId last = join_dave();
  std::vector<ServerName> servers;
  for (int i = 0; i < 11; ++i) {
    servers.emplace_back("s" + std::to_string(i) + ".example");
    const UserId user("@user:" + servers.back().str());
    last = far_member(user, user, "join", {last});
    ASSERT_EQ(receive_one(last), ReceivedOutcome::accepted);
  }
  far_server.is_down = true;
  const EventId missing = far_message(dave, {last});
  std::vector<std::size_t> waits;
  for (const ServerName& server : servers) {
    std::vector<api::ReceivedEvent> events;
    for (int i = 0; i < 101; ++i) events.push_back(received(far_message(dave, {missing})));
    auto response = rooms->receive_events({}, {room, events, server});
    ASSERT_EQ(outcome(response), "ok");
    waits.push_back(static_cast<std::size_t>(
        std::ranges::count(response->results, ReceivedOutcome::waiting, &api::ReceivedResult::outcome)));
  }
  std::vector<std::size_t> expected(10, 100U);
  expected.push_back(0);
  EXPECT_EQ(waits, expected);
  EXPECT_EQ(waiting(), 1000);
}

TEST_F(MissingEventsTest, without_others_to_ask_nothing_waits) {
  host.stop();
  start();
  const auto messages = far_messages(join_dave(), 2);
  EXPECT_EQ(receive_from_far(messages[1]), ReceivedOutcome::incomplete);
  EXPECT_EQ(waiting(), 0);
}

}  // namespace
}  // namespace backplane::room_server
