// Records arrive in order, once for each group, and numbers go on whatever happened before.
#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "process.h"

namespace backplane::log {
namespace {

using namespace std::chrono_literals;

class Delivery : public LogContract {};

TEST_P(Delivery, a_group_takes_records_in_order_in_the_transaction_of_its_effects) {
  Process process(*world_);
  Publisher& publisher = process.publisher();
  Consumer& consumer = process.consumer();
  process.start();
  for (int i = 1; i <= 100; ++i) process.publish(publisher, "key" + std::to_string(i % 7), std::to_string(i));
  ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  const auto effects = process.effects();
  ASSERT_EQ(effects.size(), 100u);
  std::map<int, int> previous;  // of each key
  for (const std::string& effect : effects) {
    const int i = std::stoi(effect);
    EXPECT_GT(i, previous[i % 7]);
    previous[i % 7] = i;
  }
  if (!GetParam().spans_processes) {
    EXPECT_EQ(effects, numbered(1, 100));
  }
  EXPECT_EQ(consumer.position(), publisher.head());
  EXPECT_EQ(process.metrics.value("log_published_total{events}"), 100);
  EXPECT_EQ(process.metrics.value("log_consumed_total{events,group}"), 100);
  EXPECT_EQ(process.metrics.value("log_lag{events,group}"), 0);
}

TEST_P(Delivery, every_group_gets_every_record) {
  Process process(*world_);
  Publisher& publisher = process.publisher();
  Consumer& one = process.consumer("one");
  Consumer& two = process.consumer("two");
  process.start();
  for (int i = 1; i <= 20; ++i) process.publish(publisher, "key", std::to_string(i));
  ASSERT_TRUE(one.wait_for(publisher.head(), soon()));
  ASSERT_TRUE(two.wait_for(publisher.head(), soon()));
  EXPECT_EQ(process.effects("one"), numbered(1, 20));
  EXPECT_EQ(process.effects("two"), numbered(1, 20));
}

TEST_P(Delivery, what_was_rolled_back_is_never_seen) {
  Process process(*world_);
  Publisher& publisher = process.publisher();
  Consumer& consumer = process.consumer();
  process.start();
  for (int i = 1; i <= 10; ++i) {
    process.publish(publisher, "key", std::to_string(i));
    const auto failed = process.store("producer").write([&](storage::Write& write) -> Result<void> {
      publisher.publish(write, "key", "never");
      return conflict("no", "rolled back");
    });
    EXPECT_FALSE(failed);
  }
  ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  EXPECT_EQ(process.effects(), numbered(1, 10));
}

TEST_P(Delivery, a_slow_writer_beside_a_fast_one_is_not_skipped) {
  Process process(*world_);
  Publisher& publisher = process.publisher();
  Consumer& consumer = process.consumer();
  process.start();
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; i < 25; ++i) {
        const auto written = process.store("producer").write([&](storage::Write& write) {
          publisher.publish(write, std::to_string(writer), std::to_string(writer * 1000 + i));
          if (writer == 0) std::this_thread::sleep_for(2ms);  // between the insert and the commit
        });
        EXPECT_TRUE(written);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  auto effects = process.effects();
  ASSERT_EQ(effects.size(), 100u);
  for (int writer = 0; writer < 4; ++writer) {  // each writer's in its order
    int expected = writer * 1000;
    for (const std::string& effect : effects) {
      if (std::stoi(effect) / 1000 == writer) {
        EXPECT_EQ(std::stoi(effect), expected++);
      }
    }
  }
}

TEST_P(Delivery, numbers_go_on_after_everything_was_taken_and_the_process_restarted) {
  Position last;
  for (int round = 0; round < 3; ++round) {
    Process process(*world_, system_clock(), {.upkeep_interval = 0s});
    Publisher& publisher = process.publisher();
    Consumer& consumer = process.consumer();
    process.start();
    EXPECT_EQ(publisher.head().base(), last.sequence);
    for (int i = 1; i <= 3; ++i) {
      const Position position = process.publish(publisher, "key", std::to_string(round * 3 + i));
      EXPECT_GT(position.sequence, last.sequence);
      last = position;
    }
    ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
    // Any commit of the producer's takes the rows away that everybody has passed.
    ASSERT_TRUE(eventually([&] {
      EXPECT_TRUE(process.store("producer").write([](storage::Write&) {}));
      return process.count("producer", "bp_outbox") == 0;
    }));
    EXPECT_EQ(process.effects(), numbered(1, round * 3 + 3));
  }
}

TEST_P(Delivery, lingering_shares_a_commit) {
  Process process(*world_);
  Publisher& publisher = process.publisher();
  ConsumeOptions options;
  options.linger = 300ms;
  Consumer& consumer = process.consumer("group", nullptr, options);
  process.start();
  for (int i = 1; i <= 50; ++i) process.publish(publisher, "key", std::to_string(i));
  ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  EXPECT_EQ(process.effects(), numbered(1, 50));
  // Nothing lingers while somebody waits: what was still on its way then had a commit of its own.
  EXPECT_LE(process.metrics.value("log_batches_total{events,group}"), GetParam().spans_processes ? 25 : 3);
}

TEST_P(Delivery, nothing_lingers_while_somebody_waits) {
  Process process(*world_);
  Publisher& publisher = process.publisher();
  ConsumeOptions options;
  options.linger = 1h;
  Consumer& consumer = process.consumer("group", nullptr, options);
  process.start();
  for (int i = 1; i <= 3; ++i) {
    process.publish(publisher, "key", std::to_string(i));
    ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  }
  EXPECT_EQ(process.effects(), numbered(1, 3));
}

TEST_P(Delivery, a_topic_that_nobody_publishes_is_reported_and_silent) {
  Process process(*world_);
  process.publisher();
  ConsumeOptions options;
  options.topic = "missing";
  process.consumer("group", nullptr, options);
  Tail& tail = process.log().tail({"missing", {}}, [](const Batch&) {});
  process.start();
  if (GetParam().spans_processes) {
    EXPECT_TRUE(process.runtime.missing_topics().empty());
  } else {
    ASSERT_EQ(process.runtime.missing_topics().size(), 1u);
    EXPECT_EQ(process.runtime.missing_topics()[0].topic, "missing");
    EXPECT_EQ(process.runtime.missing_topics()[0].wanted_by.size(), 2u);
  }
  EXPECT_EQ(tail.head(), Positions());
}

FOR_EVERY_TRANSPORT(Delivery);

}  // namespace
}  // namespace backplane::log
