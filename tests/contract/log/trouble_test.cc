// Records that cannot be handled: tried again, or parked with their key while the others go on.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "process.h"

namespace backplane::log {
namespace {

using namespace std::chrono_literals;

class Trouble : public LogContract {};

TEST_P(Trouble, a_poison_record_parks_its_key_and_nothing_else) {
  {
    Process process(*world_);
    Publisher& publisher = process.publisher();
    Consumer& consumer = process.consumer("group", [](storage::Write& write, const Record& record) {
      if (record.payload != "3") return Outcome::done;
      add_effect(write, "group", "trace of poison");
      return Outcome::park;
    });
    process.start();
    for (int i = 1; i <= 9; ++i) process.publish(publisher, i % 3 == 0 ? "bad" : "good", std::to_string(i));
    ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
    EXPECT_EQ(process.effects(), (std::vector<std::string>{"1", "2", "4", "5", "7", "8"}));
    EXPECT_EQ(process.metrics.value("log_parked{events,group}"), 3);
    const auto parked = consumer.list_parked(10);
    ASSERT_TRUE(parked);
    ASSERT_EQ(parked->size(), 3u);
    EXPECT_EQ((*parked)[0].record.payload, "3");
    EXPECT_EQ((*parked)[0].error, "the handler gave up on it");
    EXPECT_EQ((*parked)[1].record.payload, "6");
    EXPECT_EQ((*parked)[1].error, "behind a parked record of its key");
  }
  Process process(*world_);  // the key stays parked
  Publisher& publisher = process.publisher();
  Consumer& consumer = process.consumer();
  process.start();
  process.publish(publisher, "bad", "10");
  process.publish(publisher, "good", "11");
  ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  EXPECT_EQ(process.effects().back(), "11");
  EXPECT_EQ(process.metrics.value("log_parked{events,group}"), 4);
}

TEST_P(Trouble, what_throws_is_tried_eight_times_and_then_parked) {
  FastClock clock(100);
  Process process(*world_, clock);
  Publisher& publisher = process.publisher();
  std::atomic<int> tries{0};
  Consumer& consumer = process.consumer("group", [&](storage::Write&, const Record& record) {
    if (record.payload != "2") return Outcome::done;
    ++tries;
    throw std::runtime_error("broken record");
  });
  process.start();
  const auto published = process.store("producer").write([&](storage::Write& write) {
    for (int i = 1; i <= 3; ++i) publisher.publish(write, std::to_string(i), std::to_string(i));
  });
  ASSERT_TRUE(published);
  ASSERT_TRUE(consumer.wait_for(publisher.head(), clock.now() + 1h));
  auto effects = process.effects();
  std::sort(effects.begin(), effects.end());  // the keys are of different lanes
  EXPECT_EQ(effects, (std::vector<std::string>{"1", "3"}));
  if (!GetParam().spans_processes) {
    EXPECT_EQ(tries, 9);  // once in the batch
  }
  EXPECT_GE(tries, 8);
  const auto parked = consumer.list_parked(10);
  ASSERT_TRUE(parked);
  ASSERT_EQ(parked->size(), 1u);
  EXPECT_EQ((*parked)[0].error, "broken record");
}

TEST_P(Trouble, what_is_gathered_is_written_with_its_batch_or_not_at_all) {
  FastClock clock(100);
  Process process(*world_, clock);
  Publisher& publisher = process.publisher();
  std::vector<std::string> gathered;  // the runner's thread's
  ConsumeOptions options;
  options.begin_batch = [&] { gathered.clear(); };
  options.end_batch = [&](storage::Write& write) {
    for (const std::string& payload : gathered) {
      if (payload == "2") throw std::runtime_error("cannot be written");
      add_effect(write, "gathered", payload);
    }
  };
  Consumer& consumer = process.consumer(
      "group",
      [&](storage::Write&, const Record& record) {
        gathered.push_back(record.payload);
        return Outcome::done;
      },
      std::move(options));
  process.start();
  const auto published = process.store("producer").write([&](storage::Write& write) {
    for (int i = 1; i <= 3; ++i) publisher.publish(write, std::to_string(i), std::to_string(i));
  });
  ASSERT_TRUE(published);
  ASSERT_TRUE(consumer.wait_for(publisher.head(), clock.now() + 1h));
  for (const char* group : {"group", "gathered"}) {
    auto effects = process.effects(group);
    std::sort(effects.begin(), effects.end());
    EXPECT_EQ(effects, (std::vector<std::string>{"1", "3"})) << group;
  }
  const auto parked = consumer.list_parked(10);
  ASSERT_TRUE(parked);
  ASSERT_EQ(parked->size(), 1u);
  EXPECT_EQ((*parked)[0].error, "cannot be written");
}

TEST_P(Trouble, a_record_that_asks_for_time_holds_up_what_is_behind_it) {
  FastClock clock(20);
  Process process(*world_, clock);
  Publisher& publisher = process.publisher();
  std::atomic<int> tries{0};
  Consumer& consumer = process.consumer("group", [&](storage::Write&, const Record& record) {
    return record.payload == "2" && ++tries < 12 ? Outcome::retry : Outcome::done;
  });
  process.start();
  // A key each, but where lanes come by themselves only those of its lane are behind it.
  for (int i = 1; i <= 4; ++i)
    process.publish(publisher, GetParam().spans_processes ? "key" : std::to_string(i), std::to_string(i));
  ASSERT_TRUE(consumer.wait_for(publisher.head(), clock.now() + 1h));
  EXPECT_EQ(process.effects(), numbered(1, 4));
  EXPECT_EQ(process.metrics.value("log_parked{events,group}"), 0);
  EXPECT_GE(process.metrics.value("log_retries_total{events,group}"), 10);
}

TEST_P(Trouble, a_position_that_another_process_moved_is_taken_over) {
  Process process(*world_);
  Publisher& publisher = process.publisher();
  Consumer& consumer = process.consumer();
  process.start();
  process.publish(publisher, "key", "1");
  ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  // As if a consumer that this one does not know of had taken in 2 and 3.
  ASSERT_TRUE(process.store("consumer").write([](storage::Write& write) {
    write.execute("UPDATE bp_positions SET positions = ?", {"3"});
  }));
  for (int i = 2; i <= 5; ++i) process.publish(publisher, "key", std::to_string(i));
  ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  EXPECT_EQ(process.effects(), (std::vector<std::string>{"1", "4", "5"}));
}

TEST_P(Trouble, stopping_does_not_wait_for_a_record_that_never_works) {
  Process process(*world_);
  Publisher& publisher = process.publisher();
  process.consumer("group", [](storage::Write&, const Record&) { return Outcome::retry; });
  process.start();
  process.publish(publisher, "key", "1");
  ASSERT_TRUE(eventually([&] { return process.metrics.value("log_retries_total{events,group}") >= 3; }));
  const Instant begun = system_clock().now();
  EXPECT_TRUE(process.runtime.stop_consumers(soon()));
  EXPECT_LT(system_clock().now() - begun, 2s);
}

FOR_EVERY_TRANSPORT(Trouble);

}  // namespace
}  // namespace backplane::log
