// A process that ends with kill -9 at the worst moments: every record still has its effect once.
#include <gtest/gtest.h>

#include "process.h"

namespace backplane::log {
namespace {

class Crashes : public LogContract {};

/// Passes everything on, but ends the process in place of an acknowledgement.
class CrashingFeed final : public Feed {
 public:
  CrashingFeed(std::unique_ptr<Feed> feed, int after) : feed_(std::move(feed)), left_(after) {}
  std::string epoch() const override { return feed_->epoch(); }
  Positions head() const override { return feed_->head(); }
  Positions complete_from() const override { return feed_->complete_from(); }
  void seek(const Positions& after) override { feed_->seek(after); }
  Result<Batch> poll(std::size_t limit, Instant until) override { return feed_->poll(limit, until); }
  void acknowledge(const Positions& positions) override {
    if (--left_ < 0) crash();
    feed_->acknowledge(positions);
  }
  void interrupt() override { feed_->interrupt(); }

 private:
  std::unique_ptr<Feed> feed_;
  int left_;
};

class CrashingTransport final : public Transport {
 public:
  CrashingTransport(std::unique_ptr<Transport> transport, int after)
      : transport_(std::move(transport)), after_(after) {}
  void add_source(Source& source) override { transport_->add_source(source); }
  Result<std::unique_ptr<Feed>> subscribe(std::string_view topic, std::string_view group) override {
    auto feed = transport_->subscribe(topic, group);
    if (!feed) return feed;
    return std::unique_ptr<Feed>(std::make_unique<CrashingFeed>(std::move(*feed), after_));
  }
  Result<void> start() override { return transport_->start(); }
  void stop() override { transport_->stop(); }

 private:
  std::unique_ptr<Transport> transport_;
  const int after_;
};

TEST_P(Crashes, between_the_effect_and_the_acknowledgement) {
  // The group's position is there before the first crash, so that no record is before its time.
  {
    Process first(*world_);
    first.publisher();
    first.consumer();
    first.start();
    ASSERT_TRUE(eventually([&] { return first.count("consumer", "bp_positions") == 1; }));
  }
  for (int round = 0; round < 4; ++round) {
    ASSERT_TRUE(killed([&] {
      Process process(*world_);
      Publisher& publisher = process.publisher();
      Consumer& consumer = process.consumer();
      process.wrap_transport = [round](auto transport) {
        return std::make_unique<CrashingTransport>(std::move(transport), round);
      };
      process.start();
      for (int i = 1; i <= 5; ++i) {
        process.publish(publisher, "key", std::to_string(round * 5 + i));
        consumer.wait_for(publisher.head(), soon());  // so that each has an acknowledgement of its own
      }
      eventually([] { return false; });
    })) << "round "
        << round;
  }
  Process process(*world_);
  Publisher& publisher = process.publisher();
  Consumer& consumer = process.consumer();
  process.start();
  process.publish(publisher, "key", "last");
  ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  // A crash may also have come before a record was published; what was published has had its effect once, in order.
  const auto effects = process.effects();
  EXPECT_EQ(effects.back(), "last");
  int previous = 0;
  for (std::size_t i = 0; i + 1 < effects.size(); ++i) {
    EXPECT_GT(std::stoi(effects[i]), previous);
    previous = std::stoi(effects[i]);
  }
  EXPECT_EQ(static_cast<std::uint64_t>(effects.size()), publisher.head().base());
}

TEST_P(Crashes, between_the_effect_and_its_commit) {
  ASSERT_TRUE(killed([&] {
    Process process(*world_);
    Publisher& publisher = process.publisher();
    process.consumer("group", [](storage::Write& write, const Record& record) {
      add_effect(write, "group", "lost " + record.payload);
      if (record.payload == "3") crash();
      return Outcome::done;
    });
    process.start();
    const auto published = process.store("producer").write([&](storage::Write& write) {
      for (int i = 1; i <= 5; ++i) publisher.publish(write, "key", std::to_string(i));
    });
    EXPECT_TRUE(published);
    eventually([] { return false; });
  }));
  Process process(*world_);
  Publisher& publisher = process.publisher();
  Consumer& consumer = process.consumer();
  process.start();
  ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  auto effects = process.effects();
  // Records that came in a batch before the one that crashed had their effect, and their trace.
  if (GetParam().spans_processes)
    std::erase_if(effects, [](const std::string& effect) { return effect == "lost 1" || effect == "lost 2"; });
  EXPECT_EQ(effects, numbered(1, 5));
}

TEST_P(Crashes, of_the_producer_lose_nothing_that_was_committed_and_reuse_no_number) {
  std::uint64_t head = 0;
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(killed([&] {
      Process process(*world_);
      Publisher& publisher = process.publisher();
      process.start();
      if (publisher.head().base() < head) return;
      for (int i = 1; i <= 10; ++i) process.publish(publisher, "key", std::to_string(round * 10 + i));
      crash();
    }));
    head += 10;
  }
  Process process(*world_);
  Publisher& publisher = process.publisher();
  process.start();
  EXPECT_EQ(publisher.head(), Positions(head));
  EXPECT_EQ(process.publish(publisher, "key", "next").sequence, head + 1);
}

FOR_EVERY_TRANSPORT(Crashes);

}  // namespace
}  // namespace backplane::log
