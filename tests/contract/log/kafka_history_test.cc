// What is in Kafka and what is in the outbox are not what they were: restored databases, lost topics, repetitions, and
// subscriptions that are far behind.
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <thread>

#include "in_process_transport.h"
#include "kafka_case.h"

namespace backplane::log {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

// A host that begins before the producer's: what the brokers hold by then is of the new history, and complete.
TEST_F(Kafka, a_restored_log_is_with_the_brokers_before_any_host_begins) {
  const std::string database = world_.folder() + "/producer.sqlite", backup = database + ".backup";
  {
    Process here(world_), there(world_);
    Publisher& publisher = here.publisher();
    here.start();
    Consumer& consumer = there.consumer();
    there.start();
    for (int n = 1; n <= 30; ++n) here.publish(publisher, key(n), std::to_string(n));
    ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  }
  {
    Process here(world_);
    Publisher& publisher = here.publisher();
    here.start();
    for (int n = 31; n <= 60; ++n) here.publish(publisher, key(n), std::to_string(n));
  }
  fs::copy_file(database, backup);
  {
    Process here(world_);
    Publisher& publisher = here.publisher();
    here.start();
    for (int n = 0; n < 100; ++n) here.publish(publisher, key(n), "lost");
  }
  for (const char* beside : {"-wal", "-shm"}) fs::remove(database + beside);
  fs::copy_file(backup, database, fs::copy_options::overwrite_existing);
  {
    Process restore(world_);
    restore.publisher();
    restore.consumer();
    const NewHistories begun = restore.begin_histories();
    ASSERT_EQ(begun.groups.size(), 1u);
    EXPECT_TRUE(begun.groups[0].goes_on);
  }
  Process there(world_);
  std::mutex mutex;
  std::vector<std::string> tailed;
  Consumer& consumer = there.consumer();
  there.log().tail({"events", [&consumer] { return consumer.position(); }}, [&](const Batch& batch) {
    const std::lock_guard lock(mutex);
    for (const RecordPtr& record : batch.records) tailed.push_back(record->payload);
  });
  there.start();
  ASSERT_TRUE(eventually([&] { return there.effects().size() == 60; }));
  Process here(world_);
  Publisher& publisher = here.publisher();
  here.start();
  for (int n = 61; n <= 80; ++n) here.publish(publisher, key(n), std::to_string(n));
  ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  auto effects = there.effects();
  std::sort(effects.begin(), effects.end(), [](const auto& a, const auto& b) { return std::stoi(a) < std::stoi(b); });
  EXPECT_EQ(effects, numbered(1, 80));
  ASSERT_TRUE(eventually([&] {
    const std::lock_guard lock(mutex);
    return tailed.size() == 50;
  }));
  EXPECT_EQ(std::count(tailed.begin(), tailed.end(), "lost"), 0);
}

TEST_F(Kafka, another_host_sees_a_new_epoch_while_it_runs) {
  KafkaWorld elsewhere;
  elsewhere.settings = world_.settings;
  Process there(elsewhere);
  ConsumeOptions options;
  std::atomic<Publisher*> producer{nullptr};
  std::atomic<int> asked{0};
  options.snapshot = [&](const Positions&) -> Result<SnapshotPage> {
    Publisher* const publisher = producer.exchange(nullptr);  // once for each
    if (publisher == nullptr) return unavailable("away", "there is no producer");
    ++asked;
    return SnapshotPage{{}, true, publisher->head()};
  };
  options.reset = [](storage::Write& write) { write.execute("DELETE FROM effects"); };
  Consumer& consumer = there.consumer("group", nullptr, options);
  std::mutex mutex;
  std::vector<std::string> tailed;
  Tail& tail = there.log().tail({"events", {}}, [&](const Batch& batch) {
    const std::lock_guard lock(mutex);
    for (const RecordPtr& record : batch.records) tailed.push_back(record->payload);
  });
  std::string first_epoch;
  {
    Process here(world_);
    Publisher& publisher = here.publisher();
    here.start();
    producer = &publisher;
    there.start();
    ASSERT_TRUE(eventually([&] { return asked == 1; }));
    for (int i = 0; i < 5; ++i) here.publish(publisher, "key", std::to_string(i));
    ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
    ASSERT_TRUE(tail.wait_for(publisher.head(), soon()));
    first_epoch = tail.epoch();
  }
  renew_epoch(world_);
  Process here(world_);
  Publisher& publisher = here.publisher();
  here.start();
  producer = &publisher;
  EXPECT_TRUE(eventually([&] { return tail.epoch() == "deadbeef" && asked == 2; }));
  EXPECT_NE(first_epoch, "deadbeef");
  here.publish(publisher, "key", "new");
  // A relay of the old history had this on its way.
  world_.produce("events", lane_of("key"), first_epoch, 1000, 5, "old");
  here.publish(publisher, "key", "newer");
  ASSERT_TRUE(eventually([&] { return there.effects() == std::vector<std::string>{"new", "newer"}; }));
  EXPECT_EQ(asked, 2);
  ASSERT_TRUE(tail.wait_for(publisher.head(), soon()));
  const std::lock_guard lock(mutex);
  ASSERT_GE(tailed.size(), 2u);
  EXPECT_EQ(tailed[tailed.size() - 2], "new");
  EXPECT_EQ(tailed.back(), "newer");
}

TEST_F(Kafka, a_database_that_was_copied_back_is_refused) {
  const auto take_in = [&](int first, int last) {
    Process process(world_);
    Publisher& publisher = process.publisher();
    Consumer& consumer = process.consumer();
    process.start();
    for (int i = first; i <= last; ++i) process.publish(publisher, "key", std::to_string(i));
    ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  };
  const auto copy = [](const std::string& from, const std::string& to) {
    fs::create_directories(to);
    for (const char* suffix : {"", "-wal", "-shm"}) {
      const std::string name = std::string("/producer.sqlite") + suffix;
      fs::remove(to + name);
      if (fs::exists(from + name)) fs::copy_file(from + name, to + name);
    }
  };
  take_in(1, 3);
  copy(world_.folder(), world_.folder() + "/backup");
  take_in(4, 6);
  copy(world_.folder() + "/backup", world_.folder());
  Process process(world_);
  process.publisher();
  try {
    process.start();
    FAIL() << "it started";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("holds record 6 of lane"));
    EXPECT_THAT(error.what(), HasSubstr("begins a new history with `backplane restore`"));
  }
}

TEST_F(Kafka, what_the_brokers_lose_is_sent_again_from_the_outbox) {
  world_.settings.keep_relayed = 1h;
  Process process(world_);
  Publisher& publisher = process.publisher();
  Consumer& consumer = process.consumer();
  process.start();
  for (int i = 0; i < 40; ++i) process.publish(publisher, key(i), std::to_string(i));
  ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  world_.delete_topic("events");
  for (int i = 40; i < 80; ++i) process.publish(publisher, key(i), std::to_string(i));
  // librdkafka gives a topic thirty seconds to come back.
  ASSERT_TRUE(consumer.wait_for(publisher.head(), system_clock().now() + 90s));
  expect_all(process.effects(), 80);

  // Somebody new gets all of it, as the outbox has sent it from the beginning.
  KafkaWorld elsewhere;
  elsewhere.settings = world_.settings;
  Process there(elsewhere);
  Consumer& other = there.consumer("other");
  Tail& tail = there.log().tail({"events", [] { return Positions(1); }}, [](const Batch&) {});
  there.start();
  ASSERT_TRUE(tail.wait_for(publisher.head(), soon()));
  EXPECT_EQ(there.metrics.value("log_tailed_total{events}"), 79);
  (void)other;
}

TEST_F(Kafka, who_is_far_behind_reads_back_what_the_stream_no_longer_holds) {
  world_.settings.ring_bytes = 8 * 1024;
  constexpr int count = 5000;
  {
    Process process(world_);
    Publisher& publisher = process.publisher();
    std::atomic<bool> go{false};
    Consumer& consumer = process.consumer("group", [&](storage::Write&, const Record&) {
      while (!go) std::this_thread::sleep_for(1ms);
      return Outcome::done;
    });
    process.start();
    for (int i = 0; i < count; i += 100) {
      ASSERT_TRUE(process.store("producer").write([&](storage::Write& write) {
        for (int j = i; j < i + 100; ++j) publisher.publish(write, key(j), std::to_string(j));
      }));
    }
    ASSERT_TRUE(eventually([&] { return world_.metrics.value("relay_lag{events}") == 0; }));
    go = true;
    ASSERT_TRUE(consumer.wait_for(publisher.head(), system_clock().now() + 60s));
    expect_all(process.effects(), count);
    EXPECT_GT(world_.metrics.value("old_records_total{events,group}"), count / 2);
  }
  // From a position in the middle, found among the offsets.
  const std::int64_t before = world_.metrics.value("old_records_total{events,}");
  std::vector<std::string> tailed;
  Process process(world_);
  Publisher& publisher = process.publisher();
  Tail& tail = process.log().tail({"events", [] { return Positions(4000); }}, [&](const Batch& batch) {
    for (const RecordPtr& record : batch.records) tailed.push_back(record->payload);
  });
  process.start();
  ASSERT_TRUE(tail.wait_for(publisher.head(), soon()));
  process.stop();
  EXPECT_EQ(tailed.size(), 1000u);
  // Not from the beginning: eight times what is needed at most.
  EXPECT_LT(world_.metrics.value("old_records_total{events,}") - before, count);
}

// A relay that has much to send says only at the end how far quiet lanes have come. Who begins in the middle of that
// knows less of them than it did before it stopped, and is not ahead of the log for that.
TEST_F(Kafka, a_group_that_begins_while_the_relay_is_catching_up_goes_on) {
  const std::uint16_t lane = lane_of("key");
  std::string epoch;
  {
    Process process(world_);
    Publisher& publisher = process.publisher();
    Consumer& consumer = process.consumer();
    Tail& tail = process.log().tail({"events", {}}, [](const Batch&) {});
    process.start();
    for (int i = 1; i <= 5; ++i) process.publish(publisher, "key", std::to_string(i));
    ASSERT_TRUE(consumer.wait_for(Positions(5), soon()));  // in every lane
    epoch = tail.epoch();
  }
  for (std::uint64_t n = 6; n <= 65; ++n) world_.produce("events", lane, epoch, n, n - 1, std::to_string(n));
  Process there(world_);
  Consumer& consumer = there.consumer();
  std::mutex mutex;
  std::vector<std::string> tailed;
  there.log().tail({"events", [&consumer] { return consumer.position(); }}, [&](const Batch& batch) {
    const std::lock_guard lock(mutex);
    for (const RecordPtr& record : batch.records) tailed.push_back(record->payload);
  });
  there.start();
  EXPECT_TRUE(eventually([&] { return there.effects() == numbered(1, 65); }));
  EXPECT_TRUE(eventually([&] {
    const std::lock_guard lock(mutex);
    return tailed == numbered(6, 65);
  }));
}

TEST_F(Kafka, repetitions_of_a_paused_relay_do_no_harm) {
  const std::uint16_t lane = lane_of("key");
  std::string epoch;
  {
    Process process(world_);
    Publisher& publisher = process.publisher();
    Consumer& consumer = process.consumer();
    Tail& tail = process.log().tail({"events", {}}, [](const Batch&) {});
    process.start();
    epoch = tail.epoch();
    for (int i = 1; i <= 30; ++i) process.publish(publisher, "key", std::to_string(i));
    ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
    // A host that lost the lane had these on their way.
    for (std::uint64_t sequence = 11; sequence <= 20; ++sequence)
      world_.produce("events", lane, epoch, sequence, sequence - 1, "repeated " + std::to_string(sequence));
    process.publish(publisher, "key", "31");
    ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
    EXPECT_EQ(process.effects(), numbered(1, 31));
  }
  // Who looks for 15 finds the repetition of it first, behind which 21 to 30 are missing, and looks further back.
  std::vector<std::string> tailed;
  world_.settings.ring_bytes = 1;
  Process process(world_);
  Publisher& publisher = process.publisher();
  Tail& tail = process.log().tail({"events", [] { return Positions(15); }}, [&](const Batch& batch) {
    for (const RecordPtr& record : batch.records) tailed.push_back(record->payload);
  });
  process.start();
  ASSERT_TRUE(tail.wait_for(publisher.head(), soon()));
  process.stop();
  EXPECT_EQ(tailed.size(), 16u);
  EXPECT_EQ(tailed.back(), "31");
}

TEST_F(Kafka, what_was_acknowledged_and_not_noted_is_not_sent_again) {
  // The process ends as soon as its consumer has the records: the brokers have them, and nothing was noted.
  ASSERT_TRUE(killed([&] {
    Process process(world_);
    Publisher& publisher = process.publisher();
    Consumer& consumer = process.consumer();
    process.start();
    for (int i = 0; i < 40; ++i) process.publish(publisher, key(i), std::to_string(i));
    if (consumer.wait_for(publisher.head(), soon())) crash();
  }));
  const std::int64_t relayed = world_.metrics.value("relayed_total{events}");
  Process process(world_);
  Publisher& publisher = process.publisher();
  Consumer& consumer = process.consumer();
  process.start();
  process.publish(publisher, key(40), "40");
  ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  expect_all(process.effects(), 41);
  EXPECT_EQ(world_.metrics.value("relayed_total{events}") - relayed, 1);
}

TEST_F(Kafka, what_was_trimmed_before_it_was_relayed_is_known_to_be_missing) {
  {
    Process process(world_);
    Publisher& publisher = process.publisher();
    Consumer& consumer = process.consumer("group", nullptr, with_snapshot(publisher));
    process.start();
    for (int i = 0; i < 3; ++i) process.publish(publisher, "key", std::to_string(i));
    ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
    EXPECT_TRUE(eventually([&] { return snapshots(process) == 1; }));  // counted after the position is shown
  }
  {
    // Another transport carried the log for so long that it has forgotten the relay.
    Process process(world_, system_clock(), {.upkeep_interval = 0s});
    Publisher& publisher = process.publisher();
    process.wrap_transport = [](auto) {
      return std::make_unique<log_in_process::InProcessTransport>(system_clock(), testing::quiet_logger(),
                                                                  log_in_process::InProcessSettings{512, 0s});
    };
    process.start();
    for (int i = 3; i < 6; ++i) process.publish(publisher, "key", std::to_string(i));
    ASSERT_TRUE(eventually([&] {
      EXPECT_TRUE(process.store("producer").write([](storage::Write&) {}));
      return process.count("producer", "bp_outbox") == 0;
    }));
  }
  Process process(world_);
  Publisher& publisher = process.publisher();
  Consumer& consumer = process.consumer("group", nullptr, with_snapshot(publisher));
  process.start();
  ASSERT_TRUE(eventually([&] { return snapshots(process) == 1; }));
  process.publish(publisher, "key", "6");
  ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  EXPECT_EQ(process.effects(), std::vector<std::string>{"6"});
  EXPECT_GT(world_.metrics.value("gaps_total{events,group}"), 0);
}

/// From one process to several: who reads is up before the outbox has been copied to Kafka for the first time.
TEST_F(Kafka, a_group_keeps_its_position_though_little_of_the_log_is_in_kafka_yet) {
  OwnHead head;
  {
    Process one(world_);
    Publisher& publisher = one.publisher();
    Consumer& consumer = one.consumer();
    one.wrap_transport = [](auto) {
      return std::make_unique<log_in_process::InProcessTransport>(system_clock(), testing::quiet_logger(),
                                                                  log_in_process::InProcessSettings{512, 0s});
    };
    one.start();
    for (int i = 0; i < 40; ++i) one.publish(publisher, key(i), std::to_string(i));
    ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
    head = one.runtime.own_heads({"events"}).front();
  }
  Process there(world_);
  ConsumeOptions options;
  std::atomic<int> snapshots_asked{0};
  options.snapshot = [&](const Positions&) -> Result<SnapshotPage> {
    ++snapshots_asked;
    return unavailable("unwanted", "the group has a position");
  };
  Consumer& consumer = there.consumer("group", nullptr, options);
  Tail& tail = there.log().tail({"events", {}}, [](const Batch&) {});
  there.start();
  EXPECT_EQ(tail.epoch(), "");  // nobody has made the topic
  world_.create_topic("events", lane_count);
  world_.produce("events", lane_of(key(0)), head.epoch, 1, 0, "0");
  ASSERT_TRUE(eventually([&] { return consumer.position().covers(head.positions); }));
  Process here(world_);
  Publisher& publisher = here.publisher();
  here.start();
  for (int i = 40; i < 80; ++i) here.publish(publisher, key(i), std::to_string(i));
  ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  EXPECT_TRUE(tail.wait_for(publisher.head(), soon()));
  expect_all(there.effects(), 80);
  EXPECT_EQ(snapshots_asked, 0);
}

TEST_F(Kafka, a_topic_that_no_host_publishes_is_known_to_be_missing) {
  Process there(world_);
  Tail& tail = there.log().tail({"nobodys", {}}, [](const Batch&) {});
  there.runtime.set_head_asker({"events"}, [](std::string_view, Instant) -> Result<Positions> { return Positions(); });
  there.start();
  ASSERT_EQ(there.runtime.missing_topics().size(), 1U);
  EXPECT_EQ(there.runtime.missing_topics().front().topic, "nobodys");
  EXPECT_NE(tail.epoch(), "");  // whoever waits for it to be known would wait for ever
}

}  // namespace
}  // namespace backplane::log
