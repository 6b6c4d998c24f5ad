// Joins, leaves and knocks of rooms that nobody of this server is in, by way of another server.
#include <chrono>
#include <thread>

#include "two_servers.h"

namespace backplane::room_server {
namespace {

using api::ReceivedOutcome;
using api::RoomEventKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct JoiningTest : TwoServers, ::testing::WithParamInterface<const char*> {};
struct RemoteMembershipsTest : TwoServers {
  /// Of the other server, for who is in the space.
  Result<api::CreateRoomResponse> make_restricted_room(const RoomId& space) {
    api::CreateRoomRequest request;
    request.preset = "private_chat";
    request.room_version = "10";
    request.initial_state.push_back(
        {"m.room.join_rules",
         "",
         {R"({"allow":[{"room_id":")" + space.str() + R"(","type":"m.room_membership"}],"join_rule":"restricted"})"}});
    return far.create(std::move(request));
  }
};

TEST_P(JoiningTest, a_public_room_of_another_server_is_joined) {
  const RoomId room = far.make_named_room(GetParam());
  ASSERT_EQ(outcome(far.send(room, dave, "before")), "ok");
  const auto joined = join_by(room, alice);
  ASSERT_EQ(outcome(joined), "ok") << joined.error().text;
  EXPECT_THAT(far.asked, ElementsAre("make_membership far.example", "send_join far.example"));
  EXPECT_EQ(joined->room_id, room);
  EXPECT_EQ(membership(room, alice), "join");
  EXPECT_EQ(membership(room, dave), "join");
  EXPECT_EQ(state(room, alice, "m.room.name"), R"({"name":"far away"})");
  EXPECT_EQ(far.membership(room, alice), "join");
  EXPECT_EQ(state_ids(*rooms, room, alice), state_ids(*far.rooms, room, dave));
}

TEST_P(JoiningTest, the_records_are_the_state_and_then_the_join) {
  const RoomId room = enter(GetParam());
  const auto told = records_of(room);
  ASSERT_EQ(told.size(), state_ids(*rooms, room, alice).size());
  EXPECT_EQ(told.front().kind, RoomEventKind::state_changed);
  EXPECT_EQ(told.front().type, "m.room.create");
  for (std::size_t i = 0; i + 1 < told.size(); ++i) {
    EXPECT_EQ(told[i].kind, RoomEventKind::state_changed);
    ASSERT_TRUE(told[i].state_change);
    EXPECT_TRUE(told[i].state_change->old_event_id.empty());
  }
  EXPECT_EQ(told.back().kind, RoomEventKind::new_event);
  ASSERT_TRUE(told.back().membership);
  EXPECT_EQ(told.back().membership->user, alice);
  EXPECT_EQ(told.back().membership->before, "");
  EXPECT_EQ(told.back().membership->after, "join");
  const auto repeated = snapshot_of(room);
  ASSERT_EQ(repeated.size(), told.size());
  for (std::size_t i = 0; i < told.size(); ++i) EXPECT_EQ(to_json(repeated[i]), to_json(told[i]));
}

TEST_P(JoiningTest, after_a_restart_the_room_goes_on_on_both_servers) {
  const RoomId room = enter(GetParam());
  const auto before = state_ids(*rooms, room, alice);
  restart_with_far();
  EXPECT_EQ(state_ids(*rooms, room, alice), before);
  const auto ours = send(room, alice, "hello");
  ASSERT_EQ(outcome(ours), "ok") << ours.error().text;
  EXPECT_EQ(outcome(carry(room, ours->event_id)), "ok");
  const auto theirs = far.send(room, dave, "welcome");
  ASSERT_EQ(outcome(theirs), "ok");
  EXPECT_EQ(bring(room, theirs->event_id), ReceivedOutcome::accepted);
  const auto again = send(room, alice, "thanks");
  ASSERT_EQ(outcome(again), "ok");
  EXPECT_EQ(outcome(carry(room, again->event_id)), "ok");
}

TEST_P(JoiningTest, history_goes_back_to_the_create_event_which_is_told_of_then) {
  const RoomId room = far.make_named_room(GetParam());
  for (int i = 0; i < 3; ++i) ASSERT_EQ(outcome(far.send(room, dave, "before")), "ok");
  ASSERT_EQ(outcome(join_by(room, alice)), "ok");
  const auto before = records_of(room).size();
  int pages = 0;
  for (bool came = true; came && pages < 20; ++pages) {
    came = false;
    rooms->backfill({}, {room, 0, 0, 4}, [&](const auto& response) { came = response.ok() && response->came; });
  }
  EXPECT_GT(pages, 2);
  EXPECT_EQ(host.count("room_server", "SELECT COUNT(*) FROM backward_extremities"), 0);
  auto told = records_of(room);
  told.erase(told.begin(), told.begin() + static_cast<std::ptrdiff_t>(before));
  std::size_t creations = 0, messages = 0;
  for (const auto& record : told) {
    EXPECT_EQ(record.kind, RoomEventKind::history);
    creations += record.type == "m.room.create" ? 1 : 0;
    messages += record.type == "m.room.message" ? 1 : 0;
  }
  EXPECT_EQ(creations, 1U);
  EXPECT_EQ(messages, 3U);
  const auto repeated = snapshot_of(room);
  EXPECT_EQ(repeated.size(), before + told.size());
}

TEST_P(JoiningTest, who_comes_back_finds_the_state_of_now) {
  const RoomId room = enter(GetParam());
  const auto hello = send(room, alice, "hello");
  ASSERT_EQ(outcome(hello), "ok");
  ASSERT_EQ(outcome(carry(room, hello->event_id)), "ok");
  const auto left = leave(room, alice);
  ASSERT_EQ(outcome(left), "ok");
  ASSERT_EQ(outcome(carry(room, left->event_id)), "ok");
  ASSERT_EQ(outcome(far.put_state(room, dave, "m.room.name", R"({"name":"elsewhere"})")), "ok");
  ASSERT_EQ(outcome(far.join(room, erin)), "ok");
  const auto joined = join_by(room, bob, {});  // those who were in it when the last one left are asked
  ASSERT_EQ(outcome(joined), "ok") << joined.error().text;
  EXPECT_EQ(state_ids(*rooms, room, bob), state_ids(*far.rooms, room, dave));
  EXPECT_EQ(state(room, bob, "m.room.name"), R"({"name":"elsewhere"})");
  EXPECT_EQ(membership(room, erin), "join");
  EXPECT_EQ(membership(room, alice), "leave");
  const auto sent = send(room, bob, "hello again");
  ASSERT_EQ(outcome(sent), "ok");
  const auto event = matrix::Event::from_stored(body(sent->event_id).event.text, sent->event_id,
                                                *matrix::find_room_version(GetParam()));
  EXPECT_THAT(event.prev_events(), ElementsAre(joined->event_id));
  EXPECT_EQ(outcome(carry(room, sent->event_id)), "ok");
}

INSTANTIATE_TEST_SUITE_P(RoomVersions, JoiningTest, ::testing::Values("1", "6", "10", "12"),
                         [](const auto& instance) { return std::string("version_") + instance.param; });

TEST_F(RemoteMembershipsTest, of_two_users_who_join_at_once_the_second_joins_here) {
  const RoomId room = far.make_named_room("12");
  far.holds = true;
  std::vector<std::string> answers;
  for (const UserId& user : {alice, bob})
    rooms->change_membership({}, join_request(room, user), [&](auto result) { answers.push_back(outcome(result)); });
  EXPECT_THAT(answers, IsEmpty());
  far.release();
  EXPECT_THAT(answers, ElementsAre("ok", "ok"));
  EXPECT_EQ(far.times("send_join far.example"), 1U);
  EXPECT_EQ(membership(room, alice), "join");
  EXPECT_EQ(membership(room, bob), "join");
  EXPECT_EQ(records_of(room).back().membership->user, bob);
}

TEST_F(RemoteMembershipsTest, where_the_first_server_is_down_the_second_is_asked) {
  const RoomId room = far.make_named_room("12");
  far.down.insert(ServerName("down.example"));
  const auto joined = join_by(room, alice, {ServerName("down.example"), own_server, far_server});
  EXPECT_EQ(outcome(joined), "ok") << joined.error().text;
  EXPECT_THAT(far.asked,
              ElementsAre("make_membership down.example", "make_membership far.example", "send_join far.example"));
}

TEST_F(RemoteMembershipsTest, a_room_that_nobody_can_be_asked_about_is_not_found) {
  EXPECT_EQ(outcome(join_by(RoomId("!AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), alice, {})),
            "not_found/unknown_room");
  far.down.insert(far_server);
  EXPECT_EQ(outcome(join_by(RoomId("!somewhere:far.example"), alice, {})), "unavailable/unreachable");
}

TEST_F(RemoteMembershipsTest, a_room_that_does_not_let_one_in_leaves_nothing_here) {
  const RoomId room = far.make_named_room("12", "private_chat");
  EXPECT_EQ(outcome(join_by(room, alice)), "denied/forbidden");
  EXPECT_EQ(membership(room, alice), "not_found/unknown_room");
  EXPECT_THAT(records_of(room), IsEmpty());
  EXPECT_EQ(host.count("room_server", "SELECT COUNT(*) FROM rooms"), 0);
}

TEST_F(RemoteMembershipsTest, a_restricted_join_is_signed_by_the_other_server) {
  const RoomId space = enter("10");
  const auto room = make_restricted_room(space);
  ASSERT_EQ(outcome(room), "ok");
  EXPECT_NE(outcome(join_by(room->room_id, bob)), "ok");
  const auto joined = join_by(room->room_id, alice);
  ASSERT_EQ(outcome(joined), "ok") << joined.error().text;
  EXPECT_EQ(membership(room->room_id, alice), "join");
  const auto event =
      matrix::Event::from_stored(body(joined->event_id).event.text, joined->event_id, *matrix::find_room_version("10"));
  EXPECT_EQ(json::find_raw_string(event.content(), authoriser_key), dave.str());
  EXPECT_EQ(matrix::signatures_of(event).size(), 2U);
}

TEST_F(RemoteMembershipsTest, a_restricted_join_without_the_other_servers_signature_is_refused) {
  const RoomId space = enter("10");
  const auto room = make_restricted_room(space);
  ASSERT_EQ(outcome(room), "ok");
  far.change_answer = [](api::SendRemoteJoinResponse& response) { response.event = {}; };
  EXPECT_EQ(outcome(join_by(room->room_id, alice)), "incomplete/bad_answer");
  EXPECT_EQ(membership(room->room_id, alice), "not_found/unknown_room");
}

TEST_F(RemoteMembershipsTest, a_knock_is_kept_and_told_and_taken_back) {
  const RoomId room = far.make_named_room("10", "private_chat");
  ASSERT_EQ(outcome(far.put_state(room, dave, "m.room.join_rules", R"({"join_rule":"knock"})")), "ok");
  const auto knocked = knock_by(room, alice);
  ASSERT_EQ(outcome(knocked), "ok") << knocked.error().text;
  EXPECT_EQ(membership(room, alice), "knock");
  EXPECT_EQ(far.membership(room, alice), "knock");
  const auto told = records_of(room);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, RoomEventKind::knock);
  EXPECT_EQ(told[0].event_id, knocked->event_id);
  EXPECT_NE(told[0].stripped_state.text.find("far away"), std::string::npos);
  EXPECT_NE(told[0].stripped_state.text.find(R"("state_key":"@alice:test.example")"), std::string::npos);

  const auto left = leave(room, alice);
  ASSERT_EQ(outcome(left), "ok") << left.error().text;
  EXPECT_EQ(records_of(room).back().kind, RoomEventKind::retired);
  EXPECT_EQ(membership(room, alice), "leave");
  EXPECT_EQ(far.membership(room, alice), "leave");
}

TEST_F(RemoteMembershipsTest, what_is_under_way_when_the_host_stops_fails_and_can_be_done_again) {
  const RoomId room = far.make_named_room("12");
  far.holds = true;
  std::optional<std::string> answer;
  rooms->change_membership({}, join_request(room, alice), [&](auto result) { answer = outcome(result); });
  EXPECT_FALSE(answer);
  far.close();
  host.stop();
  ASSERT_TRUE(answer);
  EXPECT_NE(*answer, "ok");
  far.down.clear();
  restart_with_far();
  EXPECT_EQ(outcome(join_by(room, alice)), "ok");
}

TEST_F(RemoteMembershipsTest, while_the_host_stops_the_rooms_of_this_server_go_on) {
  const RoomId room = far.make_named_room("12"), here = make_room("public_chat", "12");
  far.holds = true;
  std::optional<std::string> answer;
  const auto ask = [&](const UserId& user) {
    rooms->change_membership({}, join_request(room, user), [&](auto result) { answer = outcome(result); });
  };
  ask(alice);
  std::thread stop([this] { host.stop(); });  // waits for the other server
  while (!answer) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ask(bob);
  }
  EXPECT_EQ(*answer, "unavailable/stopping");
  EXPECT_EQ(outcome(join(here, bob)), "ok");
  far.close();
  stop.join();
  restart_with_far();
  EXPECT_EQ(membership(here, bob), "join");
}

}  // namespace
}  // namespace backplane::room_server
