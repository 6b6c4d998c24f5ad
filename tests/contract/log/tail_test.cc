// Tails: what is followed, from where, and waiting for it.
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "process.h"

namespace backplane::log {
namespace {

using namespace std::chrono_literals;

class Tails : public LogContract {
 protected:
  TailHandler collect() {
    return [this](const Batch& batch) {
      const std::lock_guard lock(mutex_);
      for (const RecordPtr& record : batch.records) seen_.push_back(record->payload);
    };
  }
  std::vector<std::string> seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> seen_;
};

TEST_P(Tails, see_what_is_committed_from_now_on) {
  {
    Process before(*world_);
    Publisher& publisher = before.publisher();
    before.start();
    before.publish(publisher, "key", "before");
  }
  Process process(*world_);
  Publisher& publisher = process.publisher();
  Tail& tail = process.log().tail({"events", {}}, collect());
  process.start();
  EXPECT_FALSE(tail.epoch().empty());
  EXPECT_EQ(tail.followed(), publisher.head());
  for (int i = 1; i <= 50; ++i) {
    process.publish(publisher, "key", std::to_string(i));
    ASSERT_TRUE(tail.wait_for(publisher.head(), soon()));
  }
  EXPECT_EQ(seen(), numbered(1, 50));
  EXPECT_EQ(tail.head(), tail.followed());
}

TEST_P(Tails, begin_where_they_are_told) {
  Positions from;
  {
    Process before(*world_);
    Publisher& publisher = before.publisher();
    // A group that has not come so far keeps the records.
    ConsumeOptions options;
    before.consumer(
        "slow", [](storage::Write&, const Record&) { return Outcome::retry; }, options);
    before.start();
    for (int i = 1; i <= 10; ++i) {
      before.publish(publisher, "key", std::to_string(i));
      if (i == 4) from = publisher.head();
    }
  }
  Process process(*world_);
  Publisher& publisher = process.publisher();
  Tail& tail = process.log().tail({"events", [&] { return from; }}, collect());
  process.consumer("slow", [](storage::Write&, const Record&) { return Outcome::retry; });
  process.start();
  process.publish(publisher, "key", "11");
  ASSERT_TRUE(tail.wait_for(publisher.head(), soon()));
  EXPECT_EQ(seen(), numbered(5, 11));
}

TEST_P(Tails, wait_until_the_deadline_and_no_longer) {
  Process process(*world_);
  Publisher& publisher = process.publisher();
  Tail& tail = process.log().tail({"events", {}}, collect());
  process.start();
  EXPECT_TRUE(tail.wait_for(Positions(), system_clock().now()));
  const Position position = process.publish(publisher, "key", "1");
  Positions next = publisher.head();
  next.advance({position.lane, position.sequence + 1});
  const Instant begun = system_clock().now();
  EXPECT_FALSE(tail.wait_for(next, begun + 50ms));
  EXPECT_GE(system_clock().now() - begun, 50ms);
  std::thread later([&] {
    std::this_thread::sleep_for(20ms);
    process.publish(publisher, "key", "2");
  });
  EXPECT_TRUE(tail.wait_for(next, soon()));
  later.join();
}

TEST_P(Tails, a_handler_that_throws_is_passed_by) {
  Process process(*world_);
  Publisher& publisher = process.publisher();
  Tail& tail = process.log().tail({"events", {}}, [](const Batch&) { throw std::runtime_error("no"); });
  process.start();
  process.publish(publisher, "key", "1");
  EXPECT_TRUE(tail.wait_for(publisher.head(), soon()));
  EXPECT_EQ(process.metrics.value("log_tail_failures_total{events}"), 1);
}

TEST_P(Tails, stop_while_they_poll_and_end_waits) {
  Process process(*world_);
  process.publisher();
  Tail& tail = process.log().tail({"events", {}}, collect());
  Consumer& consumer = process.consumer();
  process.start();
  std::atomic<int> ended{0};
  std::thread waits_for_tail([&] {
    EXPECT_FALSE(tail.wait_for(Positions(1000), soon()));
    ++ended;
  });
  std::thread waits_for_group([&] {
    EXPECT_FALSE(consumer.wait_for(Positions(1000), soon()));
    ++ended;
  });
  std::this_thread::sleep_for(20ms);
  const Instant begun = system_clock().now();
  EXPECT_TRUE(process.runtime.stop_consumers(soon()));
  process.runtime.stop();
  waits_for_tail.join();
  waits_for_group.join();
  EXPECT_EQ(ended, 2);
  EXPECT_LT(system_clock().now() - begun, 5s);
}

TEST_P(Tails, see_volatile_records_until_they_expire) {
  FastClock clock(100);
  Process process(*world_, clock);
  Publisher& typing = process.log().publish("typing", Durability::volatile_, nullptr);
  const Positions before = typing.head();
  EXPECT_GT(before.base(), 0u);
  std::atomic<bool> go{false};
  Tail& tail = process.log().tail({"typing", {}}, [&](const Batch& batch) {
    while (!go) std::this_thread::sleep_for(1ms);
    collect()(batch);
  });
  process.start();
  typing.publish_volatile("room", "at once", 10h);
  std::this_thread::sleep_for(20ms);  // the handler has it, and holds up the others
  const Position position = typing.publish_volatile("room", "expires", 100ms);
  typing.publish_volatile("room", "stays", 10h);
  EXPECT_GT(position.sequence, before.base());
  std::this_thread::sleep_for(20ms);  // two seconds of that clock
  go = true;
  ASSERT_TRUE(tail.wait_for(typing.head(), clock.now() + 1h));
  EXPECT_EQ(seen(), (std::vector<std::string>{"at once", "stays"}));
}

TEST_P(Tails, volatile_numbers_do_not_go_back_over_a_restart) {
  std::uint64_t last = 0;
  for (int round = 0; round < 3; ++round) {
    Process process(*world_);
    Publisher& typing = process.log().publish("typing", Durability::volatile_, nullptr);
    process.start();
    EXPECT_GE(typing.head().base(), last);
    for (int i = 0; i < 100; ++i) last = typing.publish_volatile("room", "{}", 1s).sequence;
    std::this_thread::sleep_for(5ms);
  }
}

FOR_EVERY_TRANSPORT(Tails);

}  // namespace
}  // namespace backplane::log
