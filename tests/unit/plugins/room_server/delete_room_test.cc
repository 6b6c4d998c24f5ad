// A room that goes, and what is left of it: nothing.
#include <gtest/gtest.h>

#include "room_fixture.h"

namespace backplane::room_server {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

struct DeleteRoomTest : RoomFixture {
  Result<api::PositionResponse> remove(const RoomId& room) { return rooms->delete_room({}, {room}); }
  /// Rows of the tables that a room has rows in.
  std::int64_t rows() {
    std::int64_t all = 0;
    for (const char* const table : {"rooms", "events", "current_state", "state_snapshots", "state_events", "aliases",
                                    "forgotten", "transactions", "deleted_rooms"})
      all += host.count("room_server", std::string("SELECT COUNT(*) FROM ") + table);
    return all;
  }
  void let_it_go() { host.advance(1min); }
};

TEST_F(DeleteRoomTest, ItsUsersLeaveAndNobodyFindsIt) {
  api::CreateRoomRequest request;
  request.preset = "public_chat";
  request.room_alias_name = "home";
  request.published = true;
  const RoomId room = create(request)->room_id;
  ASSERT_EQ(outcome(join(room, bob)), "ok");
  ASSERT_EQ(outcome(invite(room, alice, carol)), "ok");
  const EventId said = send(room, alice, "hello")->event_id;
  EXPECT_FALSE(body(said).event.text.empty());
  const std::size_t before = records().size();

  const auto removed = remove(room);
  ASSERT_EQ(outcome(removed), "ok") << removed.error().text;
  std::vector<std::string> told;
  for (std::size_t i = before; i < records().size(); ++i) {
    const api::RoomEventRecord record = records()[i];
    EXPECT_EQ(record.room_id, room);
    if (record.kind == api::RoomEventKind::room_deleted) told.emplace_back("deleted");
    else if (record.membership) told.push_back(record.membership->user.str() + " " + record.membership->after);
  }
  ASSERT_EQ(told.size(), 4U);
  EXPECT_EQ(told.back(), "deleted");
  EXPECT_THAT(told, ::testing::IsSupersetOf(
                        {"@alice:test.example leave", "@bob:test.example leave", "@carol:test.example leave"}));
  EXPECT_EQ(removed->position, host.records("room_events").back()->position);

  EXPECT_EQ(outcome(remove(room)), "not_found/unknown_room");
  EXPECT_EQ(outcome(send(room, alice, "again")), "not_found/unknown_room");
  EXPECT_EQ(outcome(join(room, bob)), "not_found/unknown_room");
  EXPECT_EQ(outcome(rooms->find_alias({}, {RoomAlias("#home:test.example"), alice, {}})), "not_found/unknown_alias");
  EXPECT_TRUE(rooms->list_public_rooms({}, {})->chunk.empty());
  EXPECT_TRUE(rooms->get_events({}, {{said}})->events.empty());
  EXPECT_TRUE(rooms->list_joined_rooms({}, {alice})->rooms.empty());
  EXPECT_TRUE(rooms->list_room_events({}, {})->records.empty());
}

TEST_F(DeleteRoomTest, NothingIsLeft) {
  const RoomId kept = make_room();
  const std::int64_t before = rows();
  const RoomId room = make_room();
  for (int i = 0; i < 1200; ++i) ASSERT_EQ(outcome(send(room, alice, "hello", "t" + std::to_string(i))), "ok");
  ASSERT_EQ(outcome(join(room, bob)), "ok");
  ASSERT_EQ(outcome(leave(room, bob)), "ok");
  ASSERT_EQ(outcome(rooms->forget_room({}, {room, bob})), "ok");
  ASSERT_EQ(outcome(remove(room)), "ok");
  EXPECT_THAT(host.findings("room_server"), ElementsAre());
  EXPECT_GT(rows(), before + 1000);
  let_it_go();
  EXPECT_EQ(rows(), before);
  EXPECT_EQ(membership(kept, alice), "join");
}

TEST_F(DeleteRoomTest, AStopInBetweenLosesNothing) {
  const std::int64_t before = rows();
  const RoomId room = make_room();
  ASSERT_EQ(outcome(remove(room)), "ok");
  restart();
  EXPECT_EQ(outcome(remove(room)), "not_found/unknown_room");
  let_it_go();
  EXPECT_EQ(rows(), before);
}

TEST_F(DeleteRoomTest, ManyUsersLeaveInSteps) {
  const RoomId room = make_room();
  for (int i = 0; i < 250; ++i)
    ASSERT_EQ(outcome(join(room, UserId("@u" + std::to_string(i) + ":test.example"))), "ok");
  ASSERT_EQ(outcome(remove(room)), "ok");
  std::size_t left = 0;
  for (const auto& record : records()) left += record.membership && record.membership->after == "leave";
  EXPECT_EQ(left, 251U);
  let_it_go();
}

TEST_F(DeleteRoomTest, AFailedWriteLeavesTheRoom) {
  const RoomId room = make_room();
  host.fail_writes("room_server", unavailable("disk_full", "no room"), 4);  // it is tried so often
  EXPECT_EQ(outcome(remove(room)), "unavailable/storage");
  EXPECT_EQ(membership(room, alice), "join");
  EXPECT_EQ(outcome(send(room, alice, "still here")), "ok");
  EXPECT_EQ(outcome(remove(room)), "ok");
}

TEST_F(DeleteRoomTest, NumbersDoNotComeBack) {
  const RoomId first = make_room();
  const auto number = [&] { return host.count("room_server", "SELECT MAX(room) FROM rooms"); };
  const std::int64_t before = number();
  ASSERT_EQ(outcome(remove(first)), "ok");
  let_it_go();
  std::int64_t highest = 0;
  for (int i = 0; i < 40; ++i) {
    (void)make_room();
    highest = std::max(highest, number());
    EXPECT_EQ(host.count("room_server", "SELECT COUNT(*) FROM rooms WHERE room = " + std::to_string(before)), 0);
  }
}

}  // namespace
}  // namespace backplane::room_server
