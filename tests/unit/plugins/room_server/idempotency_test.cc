#include <atomic>
#include <set>
#include <thread>

#include "room_fixture.h"

namespace backplane::room_server {
namespace {

struct IdempotencyTest : RoomFixture {
  std::int64_t repeats() { return host.metric("room_server", "repeated_transactions_total"); }
};

TEST_F(IdempotencyTest, ARepeatAnswersTheFirstResult) {
  const RoomId room = make_room();
  const auto first = send(room, alice, "one", "t");
  const auto before = commits();
  const auto again = send(room, alice, "two", "t");
  ASSERT_TRUE(first && again);
  EXPECT_EQ(again->event_id, first->event_id);
  EXPECT_EQ(again->position, first->position);
  EXPECT_EQ(commits(), before);
  EXPECT_EQ(repeats(), 1);
}

TEST_F(IdempotencyTest, AlsoAfterARestart) {
  const RoomId room = make_room();
  const auto first = send(room, alice, "one", "t");
  const auto redaction = redact(room, alice, first->event_id, "r");
  restart();
  EXPECT_EQ(send(room, alice, "one", "t")->event_id, first->event_id);
  EXPECT_EQ(redact(room, alice, first->event_id, "r")->event_id, redaction->event_id);
}

TEST_F(IdempotencyTest, AlsoOnceManyOthersCameAfterIt) {
  const RoomId room = make_room();
  const auto first = send(room, alice, "one", "t");
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(send(room, alice, "x", std::to_string(i)));
  EXPECT_EQ(send(room, alice, "one", "t")->event_id, first->event_id);
}

TEST_F(IdempotencyTest, UserDeviceAndEndpointAreScopes) {
  const RoomId room = make_room(), other = make_room();
  ASSERT_TRUE(join(room, bob));
  const auto submit = [&](const UserId& user, std::string device, std::string endpoint) {
    auto request = draft(room, user, "m.room.message", "{}", "t");
    request.key.device = DeviceId(std::move(device));
    request.key.endpoint = std::move(endpoint);
    return rooms->submit_draft({}, request)->event_id;
  };
  std::set<EventId> events{submit(alice, "A", "/x"), submit(alice, "A", "/y"), submit(alice, "B", "/x"),
                           submit(bob, "A", "/x")};
  EXPECT_EQ(events.size(), 4U);
  events.insert(submit(alice, "A", "/x"));
  EXPECT_EQ(events.size(), 4U);
  EXPECT_NE(send(room, alice, "x", "t")->event_id, send(other, alice, "x", "t")->event_id);
}

TEST_F(IdempotencyTest, WithoutATransactionIdNothingIsRepeated) {
  const RoomId room = make_room();
  EXPECT_NE(send(room, alice, "one")->event_id, send(room, alice, "one")->event_id);
}

TEST_F(IdempotencyTest, RepeatsAtTheSameTimeAreOneEvent) {
  const RoomId room = make_room();
  for (int round = 0; round < 20; ++round) {
    const std::size_t before = records().size();
    std::vector<EventId> answers(8);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < answers.size(); ++t) {
      threads.emplace_back([&, t] {
        const auto sent = send(room, alice, "x", "t" + std::to_string(round));
        if (sent) answers[t] = sent->event_id;
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_FALSE(answers[0].empty());
    EXPECT_EQ(std::set<EventId>(answers.begin(), answers.end()).size(), 1U);
    EXPECT_EQ(records().size(), before + 1);
  }
}

TEST_F(IdempotencyTest, ARepeatOfWhatIsQueuedWaitsForIt) {
  const RoomId room = make_room();
  host.hold_writer("room_server");
  EventId first, again;
  std::thread one([&] { first = send(room, alice, "x", "t")->event_id; });
  std::thread two([&] { again = send(room, alice, "x", "t")->event_id; });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_TRUE(first.empty());
  EXPECT_TRUE(again.empty());
  host.release_writer("room_server");
  one.join();
  two.join();
  EXPECT_FALSE(first.empty());
  EXPECT_EQ(first, again);
}

TEST_F(IdempotencyTest, AFailedRequestMayBeRepeated) {
  const RoomId room = make_room();
  host.fail_writes("room_server", unavailable("disk_full", "full"));
  EXPECT_EQ(outcome(send(room, alice, "x", "t")), "unavailable/disk_full");
  const std::size_t before = records().size();
  EXPECT_EQ(outcome(send(room, alice, "x", "t")), "ok");
  EXPECT_EQ(records().size(), before + 1);
}

TEST_F(IdempotencyTest, OldTransactionsAreForgotten) {
  const RoomId room = make_room();
  const auto first = send(room, alice, "x", "t");
  host.advance(std::chrono::hours(23));
  restart();
  EXPECT_EQ(send(room, alice, "x", "t")->event_id, first->event_id);
  host.advance(std::chrono::hours(2));
  host.advance(std::chrono::minutes(11));
  restart();
  EXPECT_NE(send(room, alice, "x", "t")->event_id, first->event_id);
}

}  // namespace
}  // namespace backplane::room_server
