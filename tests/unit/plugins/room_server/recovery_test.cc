// What a failed write leaves behind, and what a restart finds.
#include <atomic>
#include <filesystem>
#include <set>
#include <thread>

#include "room_fixture.h"

namespace backplane::room_server {
namespace {

struct RecoveryTest : RoomFixture {
  /// Every event follows the one before it, by the records that are there.
  void expect_one_line(const RoomId& room) {
    EventId last;
    std::int64_t depth = 0;
    for (const auto& record : records()) {
      if (record.room_id != room || record.kind != api::RoomEventKind::new_event) continue;
      const std::string prev_events(*json::find_raw(record.event.text, "prev_events"));
      EXPECT_EQ(prev_events, last.empty() ? "[]" : "[\"" + last.str() + "\"]");
      EXPECT_EQ(record.topological, ++depth);
      last = record.event_id;
    }
  }
};

TEST_F(RecoveryTest, AFailedWriteIsUndoneInMemoryToo) {
  const RoomId room = make_room();
  const std::string before = state(room, alice, "m.room.join_rules");
  host.fail_writes("room_server", unavailable("disk_full", "full"));
  EXPECT_EQ(outcome(put_state(room, alice, "m.room.join_rules", R"({"join_rule":"invite"})")), "unavailable/disk_full");
  EXPECT_EQ(state(room, alice, "m.room.join_rules"), before);
  EXPECT_EQ(outcome(join(room, bob)), "ok");
  expect_one_line(room);
}

TEST_F(RecoveryTest, WhatWasBuiltOnAFailedEventIsTriedAgain) {
  const RoomId room = make_room();
  host.hold_writer("room_server");
  // The first of what is queued meanwhile fails; the others are its victims.
  host.fail_writes("room_server", unavailable("disk_full", "full"));
  constexpr int count = 8;
  std::atomic<int> sent{0}, failed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] { (send(room, alice, "x", std::to_string(i)) ? sent : failed)++; });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  host.release_writer("room_server");
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, 1);
  EXPECT_EQ(sent, count - 1);
  EXPECT_GT(host.metric("room_server", "chains_broken_total"), 0);
  expect_one_line(room);
}

TEST_F(RecoveryTest, OtherRoomsDoNotSuffer) {
  const RoomId room = make_room(), other = make_room();
  host.hold_writer("room_server");
  host.fail_writes("room_server", unavailable("disk_full", "full"));
  std::string first, second;
  std::thread one([&] { first = outcome(send(room, alice, "x")); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  std::thread two([&] { second = outcome(send(other, alice, "x")); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  host.release_writer("room_server");
  one.join();
  two.join();
  EXPECT_EQ(first, "unavailable/disk_full");
  EXPECT_EQ(second, "ok");
  EXPECT_EQ(host.metric("room_server", "chains_broken_total"), 0);
}

TEST_F(RecoveryTest, FailuresUnderLoadLeaveOneLine) {
  const RoomId room = make_room();
  std::atomic<bool> stop{false};
  std::atomic<int> sent{0};
  std::set<EventId> answered;
  std::mutex mutex;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; !stop; ++i) {
        const auto result = send(room, alice, "x", std::to_string(t) + "." + std::to_string(i));
        if (!result) continue;
        ++sent;
        const std::lock_guard lock(mutex);
        answered.insert(result->event_id);
      }
    });
  }
  for (int i = 0; i < 30; ++i) {
    host.fail_writes("room_server", unavailable("storage", "an unlucky write"), 1, 3);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  stop = true;
  for (auto& thread : threads) thread.join();
  std::set<EventId> stored;
  for (const auto& record : records()) stored.insert(record.event_id);
  for (const EventId& event : answered) EXPECT_TRUE(stored.count(event));
  EXPECT_EQ(answered.size(), static_cast<std::size_t>(sent));
  expect_one_line(room);
}

TEST_F(RecoveryTest, ARestartGoesOnWhereItWas) {
  const RoomId room = make_room("public_chat", "11");
  ASSERT_TRUE(join(room, bob));
  ASSERT_TRUE(
      put_state(room, alice, "m.room.power_levels", R"({"users":{"@alice:test.example":100,"@bob:test.example":60}})"));
  ASSERT_TRUE(put_state(room, alice, "m.room.name", R"({"name":"one"})"));
  const auto last = host.records("room_events").back();
  const auto before = records();
  restart();
  EXPECT_EQ(records().size(), before.size());
  const auto sent = put_state(room, bob, "m.room.name", R"({"name":"two"})");
  ASSERT_TRUE(sent);
  EXPECT_GT(sent->position.sequence, last->position.sequence);
  expect_one_line(room);
  EXPECT_THAT(records().back().event.text,
              ::testing::HasSubstr(R"("prev_content":{"name":"one"},"prev_sender":"@alice)"));
  EXPECT_EQ(outcome(send(room, carol, "x")), "denied/forbidden");
  EXPECT_EQ(outcome(join(room, carol)), "ok");
  EXPECT_EQ(rooms->list_joined_members({}, {room, alice})->members.size(), 3U);
}

TEST_F(RecoveryTest, TheSigningKeyStays) {
  const std::string path = host.folder() + "/signing.key";
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const auto key_of = [&] {
    make_room();
    return std::string(*json::find_raw(records().back().event.text, "signatures")).substr(0, 32);
  };
  const std::string before = key_of();
  restart();
  EXPECT_EQ(key_of(), before);
}

TEST_F(RecoveryTest, RoomsThatDoNotFitInMemoryAreReadAgain) {
  host.stop();
  start({{"head_cache", std::int64_t{20000}}});
  std::vector<RoomId> some;
  for (int i = 0; i < 12; ++i) some.push_back(make_room());
  EXPECT_LT(host.metric("room_server", "lanes_loaded"), 12);
  EXPECT_LE(host.metric("room_server", "cache_bytes", {{"cache", "heads"}}), 20000);
  for (int i = 0; i < 3; ++i) {
    for (const RoomId& room : some) ASSERT_EQ(outcome(send(room, alice, "x")), "ok");
  }
  for (const RoomId& room : some) expect_one_line(room);
}

}  // namespace
}  // namespace backplane::room_server
