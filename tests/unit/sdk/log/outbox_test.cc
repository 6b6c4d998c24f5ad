// The outbox through its public faces: publishers, the store's hook, and the Source that transports get.
#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <stdexcept>

#include "backplane/log/runtime.h"
#include "backplane/storage/database.h"
#include "backplane/testing/temporary_database.h"

namespace backplane::log {
namespace {

using namespace std::chrono_literals;

class NoMetrics final : public Metrics {
 public:
  Counter& counter(std::string_view, std::string_view, MetricLabels) override { return counter_; }
  Gauge& gauge(std::string_view, std::string_view, MetricLabels) override { return gauge_; }
  Histogram& histogram(std::string_view, std::string_view, MetricLabels) override { return histogram_; }
  void computed_gauge(std::string_view, std::string_view, MetricLabels, std::function<std::int64_t()>) override {}

 private:
  Counter counter_;
  Gauge gauge_;
  Histogram histogram_;
};

/// A transport that carries nothing, but shows the test what it got.
class Showcase final : public Transport {
 public:
  void add_source(Source& source) override { sources.push_back(&source); }
  Result<std::unique_ptr<Feed>> subscribe(std::string_view, std::string_view) override { return not_found("", ""); }
  Result<void> start() override { return {}; }
  void stop() override {}
  std::vector<Source*> sources;
};

class StoreHandle final : public storage::Store {
 public:
  void submit(WriteWork work, Done done, std::shared_ptr<storage::Chain> chain) override {
    real->submit(std::move(work), std::move(done), std::move(chain));
  }
  const storage::Ownership& ownership() const override { return real->ownership(); }
  std::uint64_t commits() const override { return real->commits(); }
  void stop() override { real->stop(); }
  std::unique_ptr<storage::Store> real;

 protected:
  Result<void> run_read(const std::function<void(storage::Session&)>& work) override { return real->read(work); }
};

/// Fails commits on demand, after the outbox has done its part.
class BreakableHook final : public storage::CommitHook {
 public:
  explicit BreakableHook(storage::CommitHook& hook) : hook_(hook) {}
  void opened(storage::Session& session, storage::Sharing sharing) override { hook_.opened(session, sharing); }
  void taken(storage::Session& session, std::span<const std::uint16_t> shards) override {
    hook_.taken(session, shards);
  }
  void giving_back(storage::Session& session, std::span<const std::uint16_t> shards) override {
    hook_.giving_back(session, shards);
  }
  void left(std::span<const std::uint16_t> shards) override { hook_.left(shards); }
  Outbox& outbox() override { return hook_.outbox(); }
  void begin_piece(storage::Write& write) override { hook_.begin_piece(write); }
  void roll_back_piece() override { hook_.roll_back_piece(); }
  void before_commit(storage::Session& session) override {
    hook_.before_commit(session);
    if (broken) throw storage::Failure(unavailable("storage", "no commit today"));
  }
  void committed() override { hook_.committed(); }
  void rolled_back() override { hook_.rolled_back(); }
  bool broken = false;

 private:
  storage::CommitHook& hook_;
};

/// A producer of the topics `a` and `b`, from its start to its end.
struct Producer {
  explicit Producer(testing::TemporaryDatabase& database, RuntimeOptions options = {.upkeep_interval = 0s})
      : runtime(system_clock(), system_random(), testing::quiet_logger(), options),
        log(runtime.for_plugin("test", metrics, testing::quiet_logger())),
        a(log.publish("a", Durability::durable, &store)),
        b(log.publish("b", Durability::durable, &store)),
        hook(*runtime.hook(&store)) {
    store.real = database.open({}, &hook);
    EXPECT_TRUE(runtime.start(transport));
  }
  ~Producer() {
    runtime.stop();
    store.real.reset();  // before its hook
  }
  Source& source() { return *transport.sources.at(0); }
  Result<Position> publish(Publisher& to, std::string key, std::string payload) {
    return store.write([&](storage::Write& write) { return to.publish(write, key, payload); });
  }
  /// Everything of a topic after some positions, read a few records at a time.
  std::vector<std::string> read_all(std::string_view topic, Positions after = Positions(), std::size_t limit = 7) {
    std::vector<std::string> payloads;
    while (!after.covers(source().head(topic))) {
      const auto batch = source().read(topic, after, limit);
      EXPECT_TRUE(batch);
      if (!batch || batch->after == after) break;
      for (const RecordPtr& record : batch->records) payloads.push_back(record->payload);
      after = batch->after;
    }
    return payloads;
  }

  NoMetrics metrics;
  StoreHandle store;
  Showcase transport;
  Runtime runtime;
  Log& log;
  Publisher& a;
  Publisher& b;
  BreakableHook hook;
};

std::vector<std::string> numbered(int first, int last, std::string_view suffix = "") {
  std::vector<std::string> texts;
  for (int i = first; i <= last; ++i) texts.push_back(std::to_string(i) + std::string(suffix));
  return texts;
}

TEST(Outbox, reads_the_same_from_memory_and_from_the_table) {
  const std::string filler(300, 'x');
  for (const std::size_t ring_bytes : {std::size_t{1} << 20, std::size_t{6000}, std::size_t{0}}) {
    testing::TemporaryDatabase database;
    Producer producer(database, {.ring_bytes = ring_bytes});
    for (int i = 1; i <= 100; ++i) {
      ASSERT_TRUE(producer.publish(producer.a, std::to_string(i % 20), std::to_string(i) + filler));
      if (i % 10 == 0) {
        ASSERT_TRUE(producer.publish(producer.b, "key", "other"));
      }
    }
    EXPECT_EQ(producer.read_all("a"), numbered(1, 100, filler)) << ring_bytes;
    EXPECT_EQ(producer.read_all("b").size(), 10u);
    // A lane that is ahead is skipped as far as it is.
    const auto all = producer.source().read("a", Positions(), 1000);
    ASSERT_TRUE(all);
    Positions ahead;
    ahead.advance((*all).records[40]->position);
    std::vector<std::string> expected;
    for (const RecordPtr& record : (*all).records)
      if (!ahead.covers(record->position)) expected.push_back(record->payload);
    EXPECT_LT(expected.size(), 100u);
    EXPECT_EQ(producer.read_all("a", ahead), expected) << ring_bytes;
  }
}

TEST(Outbox, a_topic_has_a_head_of_its_own) {
  testing::TemporaryDatabase database;
  Producer producer(database);
  const auto position = producer.publish(producer.a, "key", "1");
  ASSERT_TRUE(position);
  ASSERT_TRUE(producer.publish(producer.b, "key", "1"));
  EXPECT_EQ(producer.a.head(), Positions(position->sequence));
  EXPECT_EQ(producer.source().head("a"), Positions(position->sequence));
  EXPECT_GT(producer.source().head().base(), position->sequence);
}

TEST(Outbox, a_batch_that_failed_leaves_nothing_but_a_gap) {
  testing::TemporaryDatabase database;
  Producer producer(database);
  ASSERT_TRUE(producer.publish(producer.a, "key", "1"));
  producer.hook.broken = true;
  EXPECT_FALSE(producer.publish(producer.a, "key", "lost"));
  EXPECT_EQ(producer.read_all("a"), numbered(1, 1));
  producer.hook.broken = false;
  const auto next = producer.publish(producer.a, "key", "2");
  ASSERT_TRUE(next);
  EXPECT_EQ(next->sequence, 3u);
  EXPECT_EQ(producer.read_all("a"), numbered(1, 2));
  EXPECT_EQ(producer.read_all("a", Positions(1)), numbered(2, 2));
}

TEST(Outbox, a_piece_that_failed_takes_its_records_with_it_and_no_others) {
  testing::TemporaryDatabase database;
  Producer producer(database, {.ring_bytes = 0});  // what is read is what the table has
  Result<void> first, bad_text, thrown, last;
  std::mutex held;
  held.lock();
  producer.store.submit(
      [&](storage::Write& write) -> Result<void> {
        const std::lock_guard wait(held);  // until the others are queued
        producer.a.publish(write, "key", "1");
        return {};
      },
      [&](Result<void> result) { first = std::move(result); }, nullptr);
  producer.store.submit(
      [&](storage::Write& write) -> Result<void> {
        producer.a.publish(write, "key", "of a piece that fails");
        producer.a.publish(write, "key", std::string("a\0b", 3));
        return {};
      },
      [&](Result<void> result) { bad_text = std::move(result); }, nullptr);
  producer.store.submit(
      [&](storage::Write& write) -> Result<void> {
        producer.a.publish(write, "key", "of another one");
        throw std::runtime_error("thrown");
      },
      [&](Result<void> result) { thrown = std::move(result); }, nullptr);
  producer.store.submit(
      [&](storage::Write& write) -> Result<void> {
        for (int i = 2; i <= 12; ++i) producer.a.publish(write, "key", std::to_string(i));
        return {};
      },
      [&](Result<void> result) { last = std::move(result); }, nullptr);
  held.unlock();
  ASSERT_TRUE(producer.publish(producer.a, "key", "13"));
  EXPECT_TRUE(first) << first.error().text;
  ASSERT_FALSE(bad_text);
  EXPECT_EQ(bad_text.error().reason, "bad_text");
  EXPECT_FALSE(thrown);
  EXPECT_TRUE(last) << last.error().text;
  EXPECT_EQ(producer.read_all("a"), numbered(1, 13));
}

TEST(Outbox, trims_with_commits_that_happen_anyway_and_remembers_it) {
  testing::TemporaryDatabase database;
  std::string epoch;
  {
    Producer producer(database);
    epoch = producer.source().epoch();
    for (int i = 1; i <= 10; ++i) ASSERT_TRUE(producer.publish(producer.a, "key", std::to_string(i)));
    producer.source().trim("a", Positions(6));
    const auto commits = producer.store.commits();
    ASSERT_TRUE(producer.publish(producer.b, "key", "1"));
    EXPECT_EQ(producer.store.commits(), commits + 1);
    EXPECT_EQ(producer.source().trimmed("a"), Positions(6));
    EXPECT_EQ(producer.source().trimmed("b"), Positions(0));
    producer.source().trim("a", Positions(10));
    ASSERT_TRUE(producer.publish(producer.b, "key", "2"));
  }
  Producer producer(database);
  EXPECT_EQ(producer.source().epoch(), epoch);
  EXPECT_EQ(producer.source().trimmed("a"), Positions(10));
  EXPECT_EQ(producer.a.head(), Positions(10));
  EXPECT_EQ(producer.read_all("b"), numbered(1, 2));
}

TEST(Outbox, remembers_groups) {
  testing::TemporaryDatabase database;
  {
    Producer producer(database);
    producer.source().note_group("a", "one", Positions(3));
    producer.source().note_group("a", "two", Positions(4));
    ASSERT_TRUE(producer.publish(producer.a, "key", "1"));
    producer.source().note_group("a", "two", Positions(5));  // written when the process ends
  }
  {
    Producer producer(database);
    auto groups = producer.source().groups("a");
    ASSERT_EQ(groups.size(), 2u);
    EXPECT_EQ(groups[0].position, Positions(3));
    EXPECT_EQ(groups[1].position, Positions(5));
    EXPECT_GT(groups[1].seen_ms, 0);
    producer.source().forget_group("a", "one");
  }
  Producer producer(database);
  ASSERT_EQ(producer.source().groups("a").size(), 1u);
  EXPECT_EQ(producer.source().groups("a")[0].group, "two");
}

TEST(Outbox, refuses_what_a_publisher_cannot_do) {
  testing::TemporaryDatabase database, other_database;
  Producer producer(database), other(other_database);
  EXPECT_THROW(producer.a.publish_volatile("key", "{}", 1s), std::logic_error);
  EXPECT_FALSE(other.store.write([&](storage::Write& write) { return producer.a.publish(write, "key", "{}"); }));
}

TEST(Runtime, names_every_topic_that_is_published_twice) {
  NoMetrics metrics;
  Showcase transport;
  Runtime runtime(system_clock(), system_random(), testing::quiet_logger());
  runtime.for_plugin("one", metrics, testing::quiet_logger()).publish("typing", Durability::volatile_, nullptr);
  runtime.for_plugin("two", metrics, testing::quiet_logger()).publish("typing", Durability::volatile_, nullptr);
  const auto started = runtime.start(transport);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().text, "topic 'typing' is published by one and by two");
}

}  // namespace
}  // namespace backplane::log
