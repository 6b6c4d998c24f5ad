#include "room_fixture.h"

namespace backplane::room_server {
namespace {

using ::testing::ElementsAre;

struct QueryTest : RoomFixture {
  std::size_t state_size(const RoomId& room, const UserId& user) {
    auto found = rooms->get_state({}, {room, user});
    return found ? found->events.size() : 0;
  }
};

TEST_F(QueryTest, MembersSeeTheStateOfNow) {
  const RoomId room = make_room();
  const std::size_t before = state_size(room, alice);
  EXPECT_EQ(before, 6U);
  ASSERT_TRUE(join(room, bob));
  EXPECT_EQ(state_size(room, bob), 7U);
  const auto event = rooms->get_state_event({}, {room, bob, "m.room.create", ""});
  ASSERT_TRUE(event);
  EXPECT_EQ(event->event.room_id, room);
  EXPECT_EQ(event->event.event_id, records().front().event_id);
  EXPECT_EQ(state(room, bob, "m.room.name"), "not_found/unknown_state");
  EXPECT_EQ(outcome(rooms->get_state({}, {room, carol})), "denied/not_in_room");
  EXPECT_EQ(outcome(rooms->get_state({}, {RoomId("!none"), carol})), "not_found/unknown_room");
}

TEST_F(QueryTest, ThoseWhoLeftSeeTheStateOfTheirLeaving) {
  const RoomId room = make_room();
  ASSERT_TRUE(put_state(room, alice, "m.room.name", R"({"name":"one"})"));
  ASSERT_TRUE(put_state(room, alice, "m.room.topic", R"({"topic":"then"})"));
  ASSERT_TRUE(join(room, bob));
  ASSERT_TRUE(leave(room, bob));
  const std::size_t then = state_size(room, alice);
  ASSERT_TRUE(put_state(room, alice, "m.room.name", R"({"name":"two"})"));
  ASSERT_TRUE(put_state(room, alice, "m.room.name", R"({"name":"three"})"));
  ASSERT_TRUE(put_state(room, alice, "m.room.avatar", R"({"url":"mxc://x/y"})"));
  ASSERT_TRUE(join(room, carol));
  EXPECT_EQ(state(room, bob, "m.room.name"), R"({"name":"one"})");
  EXPECT_EQ(state(room, bob, "m.room.topic"), R"({"topic":"then"})");
  EXPECT_EQ(state(room, bob, "m.room.avatar"), "not_found/unknown_state");
  EXPECT_EQ(state(room, bob, "m.room.member", bob.str()), R"({"membership":"leave"})");
  EXPECT_EQ(state_size(room, bob), then);
  // A ban after that does not move the moment.
  ASSERT_TRUE(ban(room, alice, bob));
  EXPECT_EQ(state(room, bob, "m.room.name"), R"({"name":"one"})");
  EXPECT_EQ(state_size(room, bob), then);
  restart();
  ASSERT_TRUE(unban(room, alice, bob));
  EXPECT_EQ(state(room, bob, "m.room.name"), R"({"name":"one"})");
  ASSERT_TRUE(join(room, bob));
  EXPECT_EQ(state(room, bob, "m.room.name"), R"({"name":"three"})");
}

TEST_F(QueryTest, InviteesAndKnockersSeeNothing) {
  const RoomId room = make_room("private_chat");
  ASSERT_TRUE(invite(room, alice, bob));
  EXPECT_EQ(outcome(rooms->get_state({}, {room, bob})), "denied/not_in_room");
  ASSERT_TRUE(leave(room, bob));
  EXPECT_EQ(outcome(rooms->get_state({}, {room, bob})), "denied/not_in_room");
}

TEST_F(QueryTest, AnyoneSeesAWorldReadableRoom) {
  const RoomId room = make_room();
  EXPECT_EQ(outcome(rooms->get_state({}, {room, carol})), "denied/not_in_room");
  ASSERT_TRUE(put_state(room, alice, "m.room.history_visibility", R"({"history_visibility":"world_readable"})"));
  EXPECT_EQ(outcome(rooms->get_state({}, {room, carol})), "ok");
  ASSERT_TRUE(put_state(room, alice, "m.room.history_visibility", R"({"history_visibility":"shared"})"));
  EXPECT_EQ(outcome(rooms->get_state({}, {room, carol})), "denied/not_in_room");
}

TEST_F(QueryTest, ForgettingIsForThoseWhoLeft) {
  const RoomId room = make_room();
  EXPECT_EQ(outcome(rooms->forget_room({}, {room, bob})), "denied/forbidden");
  ASSERT_TRUE(join(room, bob));
  EXPECT_EQ(outcome(rooms->forget_room({}, {room, bob})), "invalid/not_left");
  ASSERT_TRUE(leave(room, bob));
  EXPECT_EQ(outcome(rooms->get_state({}, {room, bob})), "ok");
  const auto forgotten = rooms->forget_room({}, {room, bob});
  ASSERT_TRUE(forgotten);
  const auto record = records().back();
  EXPECT_EQ(record.kind, api::RoomEventKind::forgotten);
  EXPECT_EQ(record.room_id, room);
  EXPECT_EQ(record.membership->user, bob);
  EXPECT_EQ(host.records("room_events").back()->position, forgotten->position);
  EXPECT_EQ(outcome(rooms->get_state({}, {room, bob})), "denied/not_in_room");
  const auto count = records().size();
  EXPECT_EQ(rooms->forget_room({}, {room, bob})->position, forgotten->position);
  EXPECT_EQ(records().size(), count);
  EXPECT_EQ(outcome(rooms->forget_room({}, {RoomId("!none"), bob})), "not_found/unknown_room");
  ASSERT_TRUE(join(room, bob));
  ASSERT_TRUE(leave(room, bob));
  EXPECT_EQ(outcome(rooms->get_state({}, {room, bob})), "ok");
}

TEST_F(QueryTest, WhatIsForgottenStaysSoUntilTheyJoinAgain) {
  const RoomId room = make_room();
  ASSERT_TRUE(join(room, bob));
  ASSERT_TRUE(leave(room, bob));
  ASSERT_TRUE(rooms->forget_room({}, {room, bob}));
  ASSERT_TRUE(ban(room, alice, bob));
  EXPECT_EQ(outcome(rooms->get_state({}, {room, bob})), "denied/not_in_room");
  const auto count = records().size();
  EXPECT_EQ(outcome(rooms->forget_room({}, {room, bob})), "ok");
  EXPECT_EQ(records().size(), count + 1);
  ASSERT_TRUE(unban(room, alice, bob));
  ASSERT_TRUE(invite(room, alice, bob));
  EXPECT_EQ(outcome(rooms->get_state({}, {room, bob})), "denied/not_in_room");
  ASSERT_TRUE(leave(room, bob));
  EXPECT_EQ(outcome(rooms->get_state({}, {room, bob})), "denied/not_in_room");
  ASSERT_TRUE(join(room, bob));
  ASSERT_TRUE(ban(room, alice, bob));
  EXPECT_EQ(outcome(rooms->get_state({}, {room, bob})), "ok");
}

TEST_F(QueryTest, WhoIsInvitedAgainSeesTheStateOfTheirLeaving) {
  const RoomId room = make_room();
  ASSERT_TRUE(put_state(room, alice, "m.room.topic", R"({"topic":"of then"})"));
  ASSERT_TRUE(join(room, bob));
  ASSERT_TRUE(leave(room, bob));
  ASSERT_TRUE(put_state(room, alice, "m.room.topic", R"({"topic":"of now"})"));
  ASSERT_TRUE(invite(room, alice, bob));
  EXPECT_EQ(state(room, bob, "m.room.topic"), R"({"topic":"of then"})");
  EXPECT_EQ(outcome(rooms->list_aliases({}, {room, bob})), "denied/not_in_room");
  EXPECT_EQ(outcome(rooms->list_joined_members({}, {room, bob})), "denied/not_in_room");
}

TEST_F(QueryTest, EventsComeInTheOrderAskedFor) {
  const RoomId room = make_room();
  std::vector<EventId> ids;
  for (int i = 0; i < 40; ++i) ids.push_back(send(room, alice, std::to_string(i))->event_id);
  std::vector<EventId> wanted(ids.rbegin(), ids.rend());
  wanted.insert(wanted.begin() + 3, EventId("$none"));
  wanted.push_back(ids[7]);
  for (int round = 0; round < 2; ++round) {  // the second from the cache
    const auto found = rooms->get_events({}, {wanted});
    ASSERT_TRUE(found);
    std::vector<EventId> got;
    for (const auto& event : found->events) got.push_back(event.event_id);
    std::vector<EventId> expected(ids.rbegin(), ids.rend());
    expected.push_back(ids[7]);
    EXPECT_EQ(got, expected);
    EXPECT_GT(host.metric("room_server", "cache_bytes", {{"cache", "bodies"}}), 0);
  }
  EXPECT_TRUE(rooms->get_events({}, {})->events.empty());
}

TEST_F(QueryTest, RoomVersions) {
  const auto versions = rooms->get_room_versions({}, {});
  ASSERT_TRUE(versions);
  EXPECT_EQ(versions->default_version, "12");
  EXPECT_THAT(versions->stable, ElementsAre("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"));
  host.stop();
  start({{"default_room_version", std::string("11")}});
  EXPECT_EQ(records().size(), 0U);
  EXPECT_EQ(matrix::server_of(create({})->room_id).str(), "test.example");
}

}  // namespace
}  // namespace backplane::room_server
