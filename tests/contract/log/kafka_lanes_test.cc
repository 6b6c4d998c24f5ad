// Lanes that go from one relay to another while records are written, as when hosts take each other's shards over.
#include <gmock/gmock.h>

#include <atomic>
#include <map>
#include <thread>

#include "kafka_world.h"
#include "process.h"

namespace backplane::log {
namespace {

using namespace std::chrono_literals;

/// A producer's outbox, of which one relay sees some lanes.
class SomeLanes : public Source {
 public:
  explicit SomeLanes(Source& source) : source_(source) {}
  std::string epoch() const override { return source_.epoch(); }
  std::vector<std::string> topics() const override { return source_.topics(); }
  LaneSet lanes() const override { return LaneSet(lanes_.load()); }
  Positions head() const override { return source_.head(); }
  Positions head(std::string_view topic) const override { return source_.head(topic); }
  Positions trimmed(std::string_view topic) const override { return source_.trimmed(topic); }
  Result<Batch> read(std::string_view topic, const Positions& after, std::size_t limit) override {
    return source_.read(topic, after, limit);
  }
  void trim(std::string_view topic, const Positions& up_to) override { source_.trim(topic, up_to); }
  std::vector<KnownGroup> groups(std::string_view topic) const override { return source_.groups(topic); }
  void note_group(std::string_view topic, std::string_view group, const Positions& position) override {
    source_.note_group(topic, group, position);
  }
  void forget_group(std::string_view topic, std::string_view group) override { source_.forget_group(topic, group); }
  void set_listener(std::function<void()> listener) override {
    const std::lock_guard lock(mutex_);
    listener_ = std::move(listener);
  }
  void notify() {
    const std::lock_guard lock(mutex_);
    if (listener_) listener_();
  }
  void set_lanes(unsigned long lanes) { lanes_ = lanes; }

 private:
  Source& source_;
  std::atomic<unsigned long> lanes_{0};
  std::mutex mutex_;
  std::function<void()> listener_;
};

/// An outbox whose lanes another host takes at the moment at which it is asked how far they have come.
class LosesLanes final : public SomeLanes {
 public:
  explicit LosesLanes(Source& source) : SomeLanes(source) { set_lanes(0xffff); }
  Positions head() const override { return lose(); }
  Positions head(std::string_view) const override { return lose(); }

 private:
  Positions lose() const {
    const_cast<LosesLanes*>(this)->set_lanes(0);
    return {};
  }
};

/// A relay of an outbox that loses its lanes.
class LosingRelay final : public Transport {
 public:
  explicit LosingRelay(std::unique_ptr<Transport> transport) : transport_(std::move(transport)) {}
  void add_source(Source& source) override {
    part_ = std::make_unique<LosesLanes>(source);
    transport_->add_source(*part_);
  }
  Result<std::unique_ptr<Feed>> subscribe(std::string_view topic, std::string_view group) override {
    return transport_->subscribe(topic, group);
  }
  Result<void> start() override { return transport_->start(); }
  void stop() override { transport_->stop(); }

 private:
  std::unique_ptr<LosesLanes> part_;
  std::unique_ptr<Transport> transport_;
};

/// Two relays for one outbox: the two hosts of this test, without a database that both may write.
class TwoRelays final : public Transport {
 public:
  TwoRelays(std::unique_ptr<Transport> one, std::unique_ptr<Transport> two)
      : transports_{std::move(one), std::move(two)} {}
  void add_source(Source& source) override {
    source_ = &source;
    for (std::size_t i = 0; i < 2; ++i) {
      parts_[i] = std::make_unique<SomeLanes>(source);
      transports_[i]->add_source(*parts_[i]);
    }
  }
  Result<std::unique_ptr<Feed>> subscribe(std::string_view topic, std::string_view group) override {
    return transports_[0]->subscribe(topic, group);
  }
  Result<void> start() override {
    BACKPLANE_CHECK(transports_[0]->start());
    BACKPLANE_CHECK(transports_[1]->start());
    source_->set_listener([this] {
      for (const auto& part : parts_) part->notify();
    });
    return {};
  }
  void stop() override {
    for (const auto& transport : transports_) transport->stop();
  }
  void divide(unsigned long one, unsigned long two) {
    parts_[0]->set_lanes(one);
    parts_[1]->set_lanes(two);
  }

 private:
  std::unique_ptr<SomeLanes> parts_[2];
  std::unique_ptr<Transport> transports_[2];
  Source* source_ = nullptr;
};

TEST(KafkaLanes, that_change_hands_under_load_lose_double_and_reorder_nothing) {
  KafkaWorld world, elsewhere;
  elsewhere.settings = world.settings;
  Process there(elsewhere);
  Consumer& consumer = there.consumer();
  Process here(world);
  Publisher& publisher = here.publisher();
  TwoRelays* relays = nullptr;
  here.wrap_transport = [&](auto transport) {
    auto both = std::make_unique<TwoRelays>(std::move(transport), world.make_transport(system_clock()));
    relays = both.get();
    return both;
  };
  here.start();
  there.start();
  relays->divide(0x00ff, 0xff00);

  Positions written;
  std::atomic<int> count{0};
  std::atomic<bool> enough{false};
  std::thread writer([&] {
    for (; !enough; ++count) {
      written.advance(here.publish(publisher, "key" + std::to_string(count % 20), std::to_string(count)));
      std::this_thread::sleep_for(1ms);
    }
  });
  const auto after_more = [&] {
    const std::int64_t consumed = there.metrics.value("log_consumed_total{events,group}");
    EXPECT_TRUE(eventually([&] { return there.metrics.value("log_consumed_total{events,group}") > consumed + 100; }));
  };
  after_more();
  relays->divide(0xffff, 0);  // the second host has ended
  after_more();
  relays->divide(0x0f0f, 0xf0f0);
  after_more();
  relays->divide(0xffff, 0xf0f0);  // a paused host that thinks it still owns what the first has taken over
  after_more();
  relays->divide(0, 0xffff);
  after_more();
  enough = true;
  writer.join();
  ASSERT_TRUE(consumer.wait_for(written, soon()));
  const auto effects = there.effects();
  ASSERT_EQ(effects.size(), static_cast<std::size_t>(count));
  std::map<int, int> next;
  for (const std::string& effect : effects) {
    const int i = std::stoi(effect);
    EXPECT_EQ(i / 20, next[i % 20]++) << effect;
  }

  // Who begins now knows of each lane how far it has been written, whoever it was.
  KafkaWorld later;
  later.settings = world.settings;
  Process newcomer(later);
  Tail& tail = newcomer.log().tail({"events", {}}, [](const Batch&) {});
  newcomer.start();
  EXPECT_TRUE(tail.head().covers(written)) << tail.head().encode() << " " << written.encode();
  EXPECT_TRUE(tail.head().covers(consumer.position())) << tail.head().encode() << " " << consumer.position().encode();
}

TEST(KafkaLanes, that_go_while_a_relay_begins_are_no_fault) {
  KafkaWorld world;
  {
    Process here(world);
    Publisher& publisher = here.publisher();
    Consumer& consumer = here.consumer();
    here.start();
    here.publish(publisher, "key", "1");
    ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  }
  Process here(world);
  (void)here.publisher();
  here.wrap_transport = [](auto transport) { return std::make_unique<LosingRelay>(std::move(transport)); };
  here.start();  // fails when the relay takes what it knows no more of for a database that was copied back
}

}  // namespace
}  // namespace backplane::log
