// Logs of a store that several hosts share on PostgreSQL: lanes that move between writers, and consumers that follow a
// leader. The hosts are runtimes in this process, each with a store of its own on the same schema.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "backplane/storage/database.h"
#include "process.h"
#include "support/shared_postgresql.h"

namespace backplane::log {
namespace {

using namespace std::chrono_literals;
using storage::Sharing;

constexpr storage::Migration migrations[] = {
    {1, "effects",
     "CREATE TABLE effects (n BIGINT NOT NULL PRIMARY KEY, grp TEXT NOT NULL, payload TEXT NOT NULL);\n"}};

/// Carries what a source of another runtime holds, as a broker would: the source may be exchanged.
class Broker {
 public:
  void set(Source* source) { source_ = source; }
  Source& source() const { return *source_.load(); }

 private:
  std::atomic<Source*> source_{nullptr};
};

class BrokerFeed final : public Feed {
 public:
  BrokerFeed(Broker& broker, std::string topic) : broker_(broker), topic_(std::move(topic)) {}
  std::string epoch() const override { return broker_.source().epoch(); }
  Positions head() const override { return broker_.source().head(topic_); }
  Positions complete_from() const override { return broker_.source().trimmed(topic_); }
  void seek(const Positions& after) override { cursor_ = after; }
  void acknowledge(const Positions&) override {}
  Result<Batch> poll(std::size_t limit, Instant until) override {
    while (true) {
      auto batch = broker_.source().read(topic_, cursor_, limit);
      if (!batch) return batch;
      cursor_ = batch->after;
      if (!batch->records.empty()) return batch;
      if (interrupted_.exchange(false) || system_clock().now() >= until) return Batch{{}, cursor_};
      std::this_thread::sleep_for(1ms);
    }
  }
  void interrupt() override { interrupted_ = true; }

 private:
  Broker& broker_;
  const std::string topic_;
  Positions cursor_;
  std::atomic<bool> interrupted_{false};
};

class BrokerTransport final : public Transport {
 public:
  explicit BrokerTransport(Broker& broker) : broker_(broker) {}
  void add_source(Source& source) override { sources.push_back(&source); }
  Result<std::unique_ptr<Feed>> subscribe(std::string_view topic, std::string_view) override {
    return std::unique_ptr<Feed>(std::make_unique<BrokerFeed>(broker_, std::string(topic)));
  }
  Result<void> start() override { return {}; }
  void stop() override {}
  std::vector<Source*> sources;

 private:
  Broker& broker_;
};

/// A host: wire first, then start().
class Host {
 public:
  Host(Broker& broker, std::string name, storage::DatabaseConfig config, Sharing sharing)
      : transport(broker),
        runtime(system_clock(), system_random(), testing::quiet_logger(), {.upkeep_interval = 0s}),
        config_(std::move(config)) {
    config_.host = std::move(name);
    config_.sharing = sharing;
    config_.times = {.heartbeat = 50ms, .takeover = 1s, .claim_wait = 20s, .connect_wait = {}};
  }
  ~Host() { stop(); }
  Log& log() { return runtime.for_plugin("test", metrics, testing::quiet_logger()); }
  void start() {
    auto opened = storage::open_store(config_, "log", migrations, system_clock(), nullptr, testing::quiet_logger(),
                                      runtime.hook(&store));
    if (!opened) throw std::runtime_error(opened.error().text);
    store.open(std::move(*opened));
    running_ = true;
    if (const auto started = runtime.start(transport); !started) throw std::runtime_error(started.error().text);
  }
  void stop() {
    if (!std::exchange(running_, false)) return;
    runtime.stop();
    store.stop();
    store.open(nullptr);
  }
  Source& source() { return *transport.sources.at(0); }
  LaneSet lanes() { return source().lanes(); }
  Result<Position> publish(Publisher& to, const std::string& key, const std::string& payload) {
    return store.write([&](storage::Write& write) { return to.publish(write, key, payload); });
  }

  TestMetrics metrics;
  StoreHandle store;
  BrokerTransport transport;
  Runtime runtime;

 private:
  storage::DatabaseConfig config_;
  bool running_ = false;
};

/// A host that publishes topic `events`.
struct Producer : Host {
  Producer(Broker& broker, std::string name, const storage::DatabaseConfig& config, Sharing sharing = Sharing::sharded)
      : Host(broker, std::move(name), config, sharing),
        publisher(log().publish("events", Durability::durable, &store)) {
    start();
  }
  Publisher& publisher;
};

class LogOwnership : public ::testing::Test {
 protected:
  static std::string key_of(std::uint16_t lane) {
    for (int i = 0;; ++i)
      if (std::string key = "key" + std::to_string(i); lane_of(key) == lane) return key;
  }
  testing::TemporaryDatabase database_{postgresql_server()};
  testing::TemporaryDatabase consumers_{postgresql_server()};
  Broker broker_;
};

TEST_F(LogOwnership, numbers_are_unique_and_grow_in_each_lane_whoever_writes_it) {
  std::array<std::mutex, lane_count> mutexes;
  std::array<std::vector<std::string>, lane_count> acknowledged;
  std::array<std::unique_ptr<Producer>, 3> hosts;
  std::array<std::mutex, 3> host_mutexes;
  std::atomic<bool> ending{false};
  hosts[0] = std::make_unique<Producer>(broker_, "a", database_.config);
  {
    std::vector<std::jthread> writers;
    for (int w = 0; w < 4; ++w) {
      writers.emplace_back([&, w] {
        for (int i = 0; !ending.load(); ++i) {
          const auto lane = static_cast<std::uint16_t>((w * 4 + i) % lane_count);
          const std::lock_guard lane_lock(mutexes[lane]);
          const std::string payload = std::to_string(acknowledged[lane].size());
          // Whoever has the lane takes it; the others say whose it is.
          for (std::size_t h = 0; h < hosts.size(); ++h) {
            const std::lock_guard host_lock(host_mutexes[h]);
            if (hosts[h] == nullptr) continue;
            const auto position = hosts[h]->publish(hosts[h]->publisher, key_of(lane), payload);
            if (position) {
              EXPECT_EQ(position->lane, lane);
              acknowledged[lane].push_back(payload);
              break;
            }
            EXPECT_EQ(position.error().reason, "not_owner") << position.error().text;
          }
        }
      });
    }
    const auto goes_on = [&] {
      for (std::uint16_t lane = 0; lane < lane_count; ++lane) {
        std::unique_lock lock(mutexes[lane]);
        const std::size_t before = acknowledged[lane].size();
        lock.unlock();
        EXPECT_TRUE(eventually([&] {
          const std::lock_guard again(mutexes[lane]);
          return acknowledged[lane].size() > before + 2;
        })) << lane;
      }
    };
    const auto set = [&](std::size_t h, const char* name) {
      std::unique_ptr<Producer> made;
      if (name != nullptr) made = std::make_unique<Producer>(broker_, name, database_.config);
      const std::lock_guard lock(host_mutexes[h]);
      hosts[h] = std::move(made);
    };
    goes_on();
    set(1, "b");
    goes_on();
    set(2, "c");
    goes_on();
    set(0, nullptr);
    goes_on();
    ending = true;
  }
  std::array<std::vector<std::string>, lane_count> stored, read;
  Positions last;
  ASSERT_TRUE(hosts[1]->store.read([&](storage::Session& session) {
    session.each<std::uint16_t, std::uint64_t, std::string>(
        "SELECT lane, sequence, payload FROM bp_outbox ORDER BY sequence", {},
        [&](std::uint16_t lane, std::uint64_t sequence, std::string payload) {
          stored[lane].push_back(std::move(payload));
          last.advance({lane, sequence});
        });
    EXPECT_TRUE(hosts[1]->publisher.head(session).covers(last));
    EXPECT_TRUE(last.covers(hosts[1]->publisher.head(session)));
  }));
  EXPECT_EQ(stored, acknowledged);

  // What the two that are left read of their lanes is everything, once.
  ASSERT_TRUE(eventually([&] { return (hosts[1]->lanes() | hosts[2]->lanes()).all(); }));
  for (const std::size_t h : {1, 2}) {
    Source& source = hosts[h]->source();
    Positions after;
    while (!after.covers(source.head("events"))) {
      const auto batch = source.read("events", after, 100);
      ASSERT_TRUE(batch);
      ASSERT_NE(batch->after, after);
      for (const RecordPtr& record : batch->records) read[record->position.lane].push_back(record->payload);
      after = batch->after;
    }
  }
  EXPECT_EQ(read, acknowledged);
}

TEST_F(LogOwnership, a_lane_takes_what_is_known_of_it_along) {
  auto one = std::make_unique<Producer>(broker_, "one", database_.config);
  for (int i = 0; i < 200; ++i)
    ASSERT_TRUE(one->publish(one->publisher, "key" + std::to_string(i % 50), std::to_string(i)));
  const Positions head = one->source().head("events");
  for (std::uint16_t lane = 0; lane < lane_count; ++lane)
    one->source().note_group("events", "relay/" + std::to_string(lane), Positions(head.of(lane) - 1));
  one->source().trim("events", head);
  ASSERT_TRUE(one->publish(one->publisher, key_of(3), "after"));
  EXPECT_EQ(one->source().trimmed("events").of(2), head.of(2));

  auto two = std::make_unique<Producer>(broker_, "two", database_.config);
  ASSERT_TRUE(eventually([&] { return two->lanes().count() == 8 && one->lanes().count() == 8; }));
  for (std::uint16_t lane = 0; lane < lane_count; ++lane) {
    const bool here = two->lanes().test(lane);
    EXPECT_NE(here, one->lanes().test(lane));
    EXPECT_EQ(two->source().head("events").of(lane) >= head.of(lane), here);
    EXPECT_EQ(two->source().trimmed("events").of(lane) >= head.of(lane), here);
    if (!here) continue;
    const auto groups = two->source().groups("events");
    const auto group = std::ranges::find(groups, "relay/" + std::to_string(lane), &KnownGroup::group);
    ASSERT_NE(group, groups.end());
    EXPECT_EQ(group->position, Positions(head.of(lane) - 1));
    const auto position = two->publish(two->publisher, key_of(lane), "new");
    ASSERT_TRUE(position);
    EXPECT_GT(position->sequence, one->source().head("events").highest());
    EXPECT_EQ(one->publish(one->publisher, key_of(lane), "no").error().reason, "not_owner");
    // A group of a lane that is another's is not noted.
    one->source().note_group("events", "relay/" + std::to_string(lane), Positions(1));
  }
  two->store.stop();
  two->stop();
  ASSERT_TRUE(eventually([&] { return one->lanes().all(); }));
  for (const KnownGroup& group : one->source().groups("events")) EXPECT_GT(group.position.base(), 1U) << group.group;
}

TEST_F(LogOwnership, numbers_go_on_between_one_process_and_several_hosts) {
  std::uint64_t last = 0;
  Positions seen;
  for (const Sharing sharing : {Sharing::exclusive, Sharing::sharded, Sharing::exclusive, Sharing::sharded}) {
    Producer producer(broker_, "host", database_.config, sharing);
    // What anybody has followed so far was reached: nobody is sent to a snapshot.
    EXPECT_TRUE(producer.source().head("events").covers(seen)) << seen.encode();
    // (On the way back from lanes that were trimmed one by one somebody may be.)
    if (sharing == Sharing::sharded) {
      EXPECT_TRUE(seen.covers(producer.source().trimmed("events")));
    }
    for (int i = 0; i < 30; ++i) {
      const auto position = producer.publish(producer.publisher, "key" + std::to_string(i), "payload");
      ASSERT_TRUE(position);
      EXPECT_GT(position->sequence, last);
      last = position->sequence;
      seen.advance(*position);
    }
    seen.merge(producer.source().head("events"));
    producer.source().trim("events", seen);
    ASSERT_TRUE(producer.publish(producer.publisher, "key", "payload"));
    last = producer.source().head("events").highest();
    seen.merge(producer.source().head("events"));
  }
}

/// A host that consumes topic `events` into the table `effects` of a store that is led.
struct Follower : Host {
  Follower(Broker& broker, std::string name, const storage::DatabaseConfig& config, Snapshot snapshot = nullptr)
      : Host(broker, std::move(name), config, Sharing::led) {
    ConsumeOptions options;
    options.topic = "events";
    options.group = "group";
    options.snapshot = std::move(snapshot);
    options.restarted = [this] { ++restarts; };
    consumer = &log().consume(std::move(options), store, [](storage::Write& write, const Record& record) {
      add_effect(write, "group", record.payload);
      return Outcome::done;
    });
    start();
  }
  bool leads() const { return store.ownership().leads(); }
  Consumer* consumer = nullptr;
  std::atomic<int> restarts{0};
};

TEST_F(LogOwnership, every_record_is_handled_once_whoever_leads) {
  Producer producer(broker_, "producer", database_.config, Sharing::exclusive);
  broker_.set(&producer.source());
  std::array<std::unique_ptr<Follower>, 2> followers;
  for (const std::size_t i : {0, 1})
    followers[i] = std::make_unique<Follower>(broker_, "host" + std::to_string(i), consumers_.config);
  std::atomic<bool> ending{false};
  std::atomic<int> published{0};
  std::jthread publishing([&] {
    for (; !ending.load(); ++published) {
      EXPECT_TRUE(producer.publish(producer.publisher, "key" + std::to_string(published % 30),
                                   std::to_string(published.load())));
      std::this_thread::sleep_for(1ms);  // no faster than the consumers
    }
  });
  for (int round = 0; round < 6; ++round) {
    const int before = published.load();
    ASSERT_TRUE(eventually([&] { return published.load() > before + 50; }));
    ASSERT_TRUE(eventually([&] { return followers[0]->leads() != followers[1]->leads(); }));
    // Both know how far the one that leads has come.
    for (auto& follower : followers) ASSERT_TRUE(follower->consumer->wait_for(producer.publisher.head(), soon()));
    const std::size_t leader = followers[0]->leads() ? 0 : 1;
    followers[leader].reset();
    followers[leader] = std::make_unique<Follower>(broker_, "host" + std::to_string(leader), consumers_.config);
  }
  ending = true;
  publishing.join();
  for (auto& follower : followers) ASSERT_TRUE(follower->consumer->wait_for(producer.publisher.head(), soon()));
  // A lost session ends the leader's term, too.
  postgresql_server().restart();
  int more = published.load();
  ASSERT_TRUE(eventually([&] { return producer.publish(producer.publisher, "key", std::to_string(more)).ok(); }));
  for (auto& follower : followers) ASSERT_TRUE(follower->consumer->wait_for(producer.publisher.head(), soon()));
  std::map<std::string, int> times;
  ASSERT_TRUE(followers[0]->store.read([&](storage::Session& session) {
    for (std::string& payload : session.list<std::string>("SELECT payload FROM effects")) ++times[std::move(payload)];
  }));
  EXPECT_EQ(times.size(), static_cast<std::size_t>(more) + 1);
  for (const auto& [payload, count] : times) EXPECT_EQ(count, 1) << payload;
}

TEST_F(LogOwnership, followers_learn_that_the_leader_has_begun_a_snapshot) {
  auto producer = std::make_unique<Producer>(broker_, "producer", database_.config, Sharing::exclusive);
  broker_.set(&producer->source());
  std::atomic<int> pages{0};
  const Snapshot snapshot = [&](const Positions&) -> Result<SnapshotPage> {
    ++pages;
    return SnapshotPage{{}, true, producer->publisher.head()};
  };
  Follower one(broker_, "host1", consumers_.config, snapshot);
  Follower two(broker_, "host2", consumers_.config, snapshot);
  ASSERT_TRUE(producer->publish(producer->publisher, "key", "1"));
  for (Follower* follower : {&one, &two}) ASSERT_TRUE(follower->consumer->wait_for(producer->publisher.head(), soon()));
  EXPECT_EQ(pages, 1);
  const int restarts_of_leader = (one.leads() ? one : two).restarts;
  // The position goes, and the leader is another: it has to begin anew.
  Follower& leader = one.leads() ? one : two;
  Follower& other = one.leads() ? two : one;
  const int restarts = other.restarts;
  ASSERT_TRUE(leader.store.write([](storage::Write& write) { write.execute("DELETE FROM bp_positions"); }));
  ASSERT_TRUE(producer->publish(producer->publisher, "key", "2"));
  ASSERT_TRUE(eventually([&] { return pages == 2; }));
  ASSERT_TRUE(eventually([&] { return other.restarts == restarts + 1; }));
  EXPECT_EQ(leader.restarts, restarts_of_leader);
  EXPECT_TRUE(other.consumer->wait_for(producer->publisher.head(), soon()));
}

}  // namespace
}  // namespace backplane::log
