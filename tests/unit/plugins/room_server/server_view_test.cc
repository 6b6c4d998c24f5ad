// What other servers may see of a room's history.
#include "far_fixture.h"

#include <algorithm>

namespace backplane::room_server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct ServerViewTest : FarFixture, ::testing::WithParamInterface<const char*> {
  ServerViewTest() { begin(GetParam()); }

  EventId say(std::string text) {
    const auto sent = send(room, alice, std::move(text));
    EXPECT_EQ(outcome(sent), "ok");
    return sent ? sent->event_id : EventId();
  }
  /// With something that redaction takes away.
  EventId set_visibility(const std::string& visibility) {
    const auto sent = put_state(room, alice, "m.room.history_visibility",
                                R"({"history_visibility":")" + visibility + R"(","org.example":1})");
    EXPECT_EQ(outcome(sent), "ok");
    return sent ? sent->event_id : EventId();
  }
  std::vector<api::EventBody> get(std::vector<EventId> event_ids, const ServerName& server) {
    const auto found = rooms->get_events({}, {std::move(event_ids), server});
    EXPECT_EQ(outcome(found), "ok");
    return found ? found->events : std::vector<api::EventBody>();
  }
  /// `whole`, `redacted`, or `none`.
  std::string view(const EventId& event_id, const ServerName& server = far_server) {
    const auto found = get({event_id}, server);
    if (found.empty()) return "none";
    EXPECT_EQ(found[0].event_id, event_id);
    EXPECT_EQ(found[0].room_id, room);
    const std::string& text = found[0].event.text;
    EXPECT_FALSE(json::find_raw(text, "unsigned")) << text;
    const auto received = matrix::Event::parse_untrusted(text, *room_version);
    EXPECT_EQ(outcome(received), "ok") << text;
    EXPECT_EQ(received->event_id(), event_id);
    return json::find_raw(text, "content") == json::find_raw(body(event_id).event.text, "content") ? "whole"
                                                                                                   : "redacted";
  }
};

INSTANTIATE_TEST_SUITE_P(Versions, ServerViewTest, told_versions(), version_name);

TEST_P(ServerViewTest, shared_history_is_for_all_who_are_in_the_room) {
  const EventId before = say("before");
  EXPECT_EQ(view(before), "none") << "the server is not in the room";
  const EventId dave_join = join_from_afar(dave);
  EXPECT_EQ(view(before), "whole");
  EXPECT_EQ(view(dave_join), "whole");
  EXPECT_EQ(view(before, farther_server), "none");
  set_visibility("world_readable");
  EXPECT_EQ(view(say("after")), "whole");
  leave_from_afar(dave);
  EXPECT_EQ(view(before), "none");
}

TEST_P(ServerViewTest, what_this_server_notes_of_a_change_is_not_told) {
  join_from_afar(dave);
  ASSERT_EQ(outcome(put_state(room, alice, "m.room.topic", R"({"topic":"secret"})")), "ok");
  const auto topic = put_state(room, alice, "m.room.topic", R"({"topic":"public"})");
  ASSERT_NE(body(topic->event_id).event.text.find("secret"), std::string::npos);
  EXPECT_EQ(view(topic->event_id), "whole");
  EXPECT_EQ(get({topic->event_id}, far_server)[0].event.text.find("secret"), std::string::npos);
}

TEST_P(ServerViewTest, history_for_the_joined_begins_with_a_join_and_ends_with_a_leave) {
  const EventId change = set_visibility("joined");
  const EventId before = say("before");
  join_from_afar(frank);
  const EventId invite = member_from_afar(frank, dave, "invite");
  const EventId meanwhile = say("meanwhile");
  const EventId dave_join = join_from_afar(dave);
  const EventId during = say("during");
  const EventId dave_leave = leave_from_afar(dave);
  const EventId away = say("away");
  const EventId again = join_from_afar(erin);
  const EventId back = say("back");

  EXPECT_EQ(view(change), "whole") << "before it all was shared";
  EXPECT_EQ(view(before), "redacted");
  EXPECT_EQ(view(meanwhile), "redacted");
  EXPECT_EQ(view(dave_join), "whole");
  EXPECT_EQ(view(during), "whole");
  EXPECT_EQ(view(dave_leave), "whole");
  EXPECT_EQ(view(away), "redacted");
  EXPECT_EQ(view(again), "whole");
  EXPECT_EQ(view(back), "whole");
  EXPECT_EQ(view(invite), "redacted");
  EXPECT_EQ(view(meanwhile, farther_server), "whole");
  restart();
  EXPECT_EQ(view(before), "redacted");
  EXPECT_EQ(view(during), "whole");
}

TEST_P(ServerViewTest, history_for_the_invited_begins_with_an_invite) {
  set_visibility("invited");
  join_from_afar(frank);
  const EventId before = say("before");
  const EventId invite = member_from_afar(frank, dave, "invite");
  const EventId after = say("after");
  join_from_afar(dave);
  EXPECT_EQ(view(before), "redacted");
  EXPECT_EQ(view(invite), "whole");
  EXPECT_EQ(view(after), "whole");
  const EventId change = set_visibility("joined");
  EXPECT_EQ(view(after), "whole");
  EXPECT_EQ(view(change), "whole");
}

TEST_P(ServerViewTest, a_change_of_visibility_is_seen_when_what_holds_after_it_allows) {
  set_visibility("joined");
  const EventId before_change = set_visibility("invited");
  const EventId topic = put_state(room, alice, "m.room.topic", R"({"topic":"secret"})")->event_id;
  const EventId change = set_visibility("shared");
  join_from_afar(dave);
  EXPECT_EQ(view(topic), "redacted");
  EXPECT_EQ(view(change), "whole");
  EXPECT_EQ(view(before_change), "redacted");
}

TEST_P(ServerViewTest, of_many_users_one_who_was_there_is_enough) {
  set_visibility("joined");
  join_from_afar(frank);
  std::vector<UserId> users;
  for (int i = 0; i < 40; ++i) users.emplace_back("@user" + std::to_string(i) + ":far.example");
  const EventId before = say("before");
  for (const UserId& user : users) join_from_afar(user);
  const EventId all = say("all");
  for (std::size_t i = 1; i < users.size(); ++i) leave_from_afar(users[i]);
  const EventId one = say("one");
  leave_from_afar(users[0]);
  const EventId nobody = say("nobody");
  join_from_afar(users[7]);
  EXPECT_EQ(view(before), "redacted");
  EXPECT_EQ(view(all), "whole");
  EXPECT_EQ(view(one), "whole");
  EXPECT_EQ(view(nobody), "redacted");
}

TEST_P(ServerViewTest, what_was_rejected_is_not_told_and_what_was_not_heard_is) {
  const EventId dave_join = join_from_afar(dave);
  join_from_afar(erin);
  const auto rejected = far_event(dave, "m.room.topic", "", R"({"topic":"mine"})");
  ASSERT_EQ(receive(rejected), Outcome::rejected);
  const auto late = far_event(dave, "m.room.message", std::nullopt, R"({"body":"late"})", {dave_join});
  ASSERT_EQ(outcome(ban(room, alice, dave)), "ok");
  ASSERT_EQ(receive(late), Outcome::soft_failed);
  const auto told = get({rejected.event_id(), late.event_id(), EventId("$none")}, far_server);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told.front().event_id, late.event_id());
  // Without a server in mind they are answered.
  EXPECT_EQ(rooms->get_events({}, {{rejected.event_id(), late.event_id()}, {}})->events.size(), 2U);
}

TEST_P(ServerViewTest, of_what_has_no_place_only_state_is_seen_whole) {
  join_from_afar(dave);
  const auto member = far_event(erin, "m.room.member", erin.str(), R"({"displayname":"Erin","membership":"join"})");
  const auto message = far_event(dave, "m.room.message", std::nullopt, R"({"body":"where?"})");
  ASSERT_EQ(receive(member, api::ReceivedKind::outlier), Outcome::accepted);
  ASSERT_EQ(receive(message, api::ReceivedKind::outlier), Outcome::accepted);
  EXPECT_EQ(view(member.event_id()), "whole");
  EXPECT_EQ(view(message.event_id()), "redacted");
}

TEST_P(ServerViewTest, earlier_events_come_as_the_server_may_see_them) {
  set_visibility("joined");
  const EventId before = say("before");
  api::ListEarlierEventsRequest request{room, {before}, true, {}, 0, 100, far_server};
  EXPECT_EQ(outcome(rooms->list_earlier_events({}, request)), "denied/not_in_room");
  const EventId dave_join = join_from_afar(dave);
  const auto rejected = far_event(dave, "m.room.topic", "", R"({"topic":"mine"})");
  ASSERT_EQ(receive(rejected), Outcome::rejected);
  const EventId during = say("during");
  request.from = {during};
  request.limit = 3;
  const auto found = rooms->list_earlier_events({}, request);
  ASSERT_EQ(outcome(found), "ok");
  std::vector<EventId> event_ids;
  for (const auto& event : found->events) event_ids.push_back(event.event_id);
  std::ranges::sort(event_ids);
  std::vector<EventId> expected{during, dave_join, before};
  std::ranges::sort(expected);
  EXPECT_EQ(event_ids, expected);
  const auto content_of = [&](const auto& events, const EventId& event_id) {
    const auto event = std::ranges::find(events, event_id, &api::EventBody::event_id);
    EXPECT_EQ(json::find_raw(event->event.text, "unsigned"), std::nullopt);
    return std::string(json::find_raw(event->event.text, "content").value_or(""));
  };
  EXPECT_EQ(content_of(found->events, before), "{}");
  EXPECT_EQ(content_of(found->events, dave_join), member_content("join"));
  EXPECT_EQ(content_of(found->events, during), R"({"body":"during"})");
  request.for_server = {};
  const auto whole = rooms->list_earlier_events({}, request);
  ASSERT_EQ(outcome(whole), "ok");
  EXPECT_EQ(content_of(whole->events, before), R"({"body":"before"})");
}

TEST_P(ServerViewTest, events_of_several_rooms_are_each_for_those_who_are_there) {
  const EventId here = say("here");
  join_from_afar(dave);
  const RoomId first = room;
  begin(GetParam());
  const EventId elsewhere = say("elsewhere");
  join_from_afar(frank);
  const auto ids_for = [&](const ServerName& server) {
    std::vector<EventId> ids;
    for (const auto& event : get({elsewhere, here, elsewhere}, server)) ids.push_back(event.event_id);
    return ids;
  };
  EXPECT_THAT(ids_for(far_server), ElementsAre(here));
  EXPECT_THAT(ids_for(farther_server), ElementsAre(elsewhere, elsewhere));
}

}  // namespace
}  // namespace backplane::room_server
