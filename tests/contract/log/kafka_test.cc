// Brokers that die, hang or are not there, and topics that are others' or not there yet.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "kafka_case.h"

namespace backplane::log {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

TEST_F(Kafka, a_broker_that_is_killed_under_load_loses_doubles_and_reorders_nothing) {
  Process process(world_);
  Publisher& publisher = process.publisher();
  Consumer& consumer = process.consumer();
  process.start();
  std::atomic<int> count{0};
  std::atomic<bool> enough{false};
  std::thread writer([&] {
    for (; !enough; ++count) {
      process.publish(publisher, key(count), std::to_string(count));
      std::this_thread::sleep_for(1ms);  // a load, not a flood
    }
  });
  for (int round = 0; round < 3; ++round) {
    const std::int64_t consumed = process.metrics.value("log_consumed_total{events,group}");
    EXPECT_TRUE(eventually([&] { return process.metrics.value("log_consumed_total{events,group}") > consumed + 300; }));
    kafka_broker().kill();
    kafka_broker().start();
  }
  enough = true;
  writer.join();
  ASSERT_TRUE(consumer.wait_for(publisher.head(), system_clock().now() + 60s));
  expect_all(process.effects(), count);
}

TEST_F(Kafka, publishing_goes_on_while_the_broker_is_away) {
  // Fewer than wait, so that most wait in the outbox.
  world_.settings.in_flight_records = 100;
  Process process(world_);
  Publisher& publisher = process.publisher();
  Consumer& consumer = process.consumer();
  Tail& tail = process.log().tail({"events", {}}, [](const Batch&) {});
  process.start();
  EXPECT_TRUE(tail.connected());
  process.publish(publisher, key(0), "0");
  ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  kafka_broker().kill();
  constexpr int count = 1000;
  for (int i = 1; i < count; ++i) process.publish(publisher, key(i), std::to_string(i));
  EXPECT_TRUE(eventually([&] { return !tail.connected(); }));
  EXPECT_TRUE(eventually([&] { return world_.metrics.value("relay_lag{events}") > 0; }));
  EXPECT_EQ(process.effects(), std::vector<std::string>{"0"});
  EXPECT_GE(process.count("producer", "bp_outbox"), count - 1);
  kafka_broker().start();
  ASSERT_TRUE(consumer.wait_for(publisher.head(), system_clock().now() + 60s));
  expect_all(process.effects(), count);
  EXPECT_TRUE(eventually([&] { return tail.connected(); }));
  EXPECT_TRUE(eventually([&] { return world_.metrics.value("relay_lag{events}") == 0; }));
}

TEST_F(Kafka, a_broker_that_hangs_is_noticed) {
  Process process(world_);
  Publisher& publisher = process.publisher();
  Tail& tail = process.log().tail({"events", {}}, [](const Batch&) {});
  process.start();
  kafka_broker().pause();
  EXPECT_TRUE(eventually([&] { return !tail.connected(); }));
  const Position position = process.publish(publisher, "key", "1");
  EXPECT_FALSE(tail.followed().covers(position));
  kafka_broker().resume();
  EXPECT_TRUE(tail.wait_for(publisher.head(), soon()));
  EXPECT_TRUE(eventually([&] { return tail.connected(); }));
}

TEST_F(Kafka, a_start_without_a_broker_says_so) {
  world_.settings.brokers = "127.0.0.1:1";
  world_.settings.connect_timeout = 200ms;
  const auto transport = world_.make_transport(system_clock());
  const auto started = transport->start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::unavailable);
  EXPECT_THAT(started.error().text, HasSubstr("no broker of '127.0.0.1:1' answered within 200 ms"));
  EXPECT_THAT(started.error().text, HasSubstr("option brokers of log_kafka"));
}

TEST_F(Kafka, a_topic_with_other_partitions_is_refused) {
  world_.create_topic("events", 4);
  Process process(world_);
  process.publisher();
  try {
    process.start();
    FAIL() << "it started";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("has 4 partitions, and a log has 16 lanes: delete the topic"));
  }
}

TEST_F(Kafka, a_topic_may_come_later_than_those_who_follow_it) {
  Process there(world_);
  Consumer& consumer = there.consumer();
  std::atomic<int> tailed{0};
  Tail& tail =
      there.log().tail({"events", {}}, [&](const Batch& batch) { tailed += static_cast<int>(batch.records.size()); });
  there.start();
  EXPECT_EQ(tail.epoch(), "");
  EXPECT_FALSE(tail.connected());
  KafkaWorld elsewhere;
  elsewhere.settings = world_.settings;
  Process here(elsewhere);
  Publisher& publisher = here.publisher();
  here.start();
  for (int i = 0; i < 40; ++i) here.publish(publisher, key(i), std::to_string(i));
  ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  ASSERT_TRUE(tail.wait_for(publisher.head(), soon()));
  expect_all(there.effects(), 40);
  EXPECT_EQ(tailed, 40);
  EXPECT_NE(tail.epoch(), "");
  EXPECT_EQ(tail.head(), publisher.head());
}

}  // namespace
}  // namespace backplane::log
