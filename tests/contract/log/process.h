// A host process in miniature: plugins are lambdas, their stores are the world's databases. Destroying it
// is an orderly end; crash() in a child process is not.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backplane/log/runtime.h"
#include "test_metrics.h"
#include "transports.h"

namespace backplane::log {

/// What a plugin gets during wire(): the store behind it is opened later.
class StoreHandle final : public storage::Store {
 public:
  void open(std::unique_ptr<storage::Store> store) { store_ = std::move(store); }
  void submit(WriteWork work, Done done, std::shared_ptr<storage::Chain> chain) override {
    store_->submit(std::move(work), std::move(done), std::move(chain));
  }
  const storage::Ownership& ownership() const override { return store_->ownership(); }
  std::uint64_t commits() const override { return store_->commits(); }
  void stop() override {
    if (store_ != nullptr) store_->stop();
  }

 protected:
  Result<void> run_read(const std::function<void(storage::Session&)>& work) override { return store_->read(work); }

 private:
  std::unique_ptr<storage::Store> store_;
};

class Process {
 public:
  explicit Process(World& world, Clock& clock = system_clock(), RuntimeOptions options = {});
  ~Process() { stop(); }

  /// The store of that name; its database survives the process.
  StoreHandle& store(const std::string& name);
  Log& log() { return runtime.for_plugin("test", metrics, testing::quiet_logger()); }
  /// A durable topic in the store "producer".
  Publisher& publisher(const std::string& topic = "events") {
    return log().publish(topic, Durability::durable, &store("producer"));
  }
  /// Consumes into the table `effects` of the store "consumer"; `before` may decide otherwise.
  Consumer& consumer(const std::string& group = "group", ConsumeHandler before = nullptr, ConsumeOptions options = {});

  void start();
  void stop();
  /// Instead: opens the stores, lets their logs begin another history, and closes them.
  NewHistories begin_histories();

  /// One record in a transaction of its own.
  Position publish(Publisher& publisher, std::string key, std::string payload, const std::string& store = "producer");
  /// The payloads that a group has taken in, in the order in which it did.
  std::vector<std::string> effects(const std::string& group = "group");
  std::int64_t count(const std::string& store, const std::string& table);

  World& world;
  Clock& clock;
  TestMetrics metrics;
  std::unique_ptr<Transport> transport;
  /// Wraps the transport before start().
  std::function<std::unique_ptr<Transport>(std::unique_ptr<Transport>)> wrap_transport;
  std::map<std::string, std::unique_ptr<StoreHandle>> stores;
  Runtime runtime;

 private:
  void open_stores();
  bool started_ = false;
};

/// Adds a row to the table `effects`.
void add_effect(storage::Write& write, std::string_view group, std::string_view payload);

/// Runs `body` in a child process and waits for it; true when it was killed (-9), which is what it should come to.
bool killed(const std::function<void()>& body);
[[noreturn]] void crash();

/// A second's patience, or more on a busy machine.
Instant soon();
/// Asks again and again.
bool eventually(const std::function<bool()>& condition);
std::vector<std::string> numbered(int first, int last);

/// Runs `speed` times as fast as the system's clock.
class FastClock final : public Clock {
 public:
  explicit FastClock(int speed) : speed_(speed), start_(system_clock().now()), start_ms_(system_clock().wall_ms()) {}
  using Clock::wait_until;
  std::int64_t wall_ms() const override { return start_ms_ + (now() - start_) / std::chrono::milliseconds(1); }
  Instant now() const override { return start_ + (system_clock().now() - start_) * speed_; }
  void wait_until(std::condition_variable& condition, std::unique_lock<std::mutex>& lock, Instant until) override {
    system_clock().wait_until(condition, lock, start_ + (until - start_) / speed_);
  }

 private:
  const int speed_;
  const Instant start_;
  const std::int64_t start_ms_;
};

}  // namespace backplane::log
