// A process for plugins under test: what the host does for them, with a clock that stands still until it is moved,
// seeded randomness, real SQLite databases in a temporary folder, and a log whose records a test can look at.
//
//   FakeHost host;
//   host.load("room_server");                  // from the build's folder of plugins
//   host.start();                              // configure, wire, connect, open the stores, start
//   auto& rooms = host.connect<api::RoomServer>();
//   … rooms.create_room({}, request) … host.records("room_events") …
//   host.stop();                               // the databases stay: load and start again to play a restart
//
// Faults throw std::runtime_error with a text that says what is wrong. One thread but for clock, random, stores and
// what connect() answers.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/export.h"
#include "backplane/log/record.h"
#include "backplane/plugin/plugin.h"
#include "backplane/storage/database.h"

namespace backplane::testing {

/// Stands still until it is moved. Any thread.
class BACKPLANE_API FakeClock final : public Clock {
 public:
  FakeClock();
  ~FakeClock() override;
  std::int64_t wall_ms() const override { return wall_ms_.load(); }
  Instant now() const override { return Instant(Duration(now_ns_.load())); }
  void wait_until(std::condition_variable& condition, std::unique_lock<std::mutex>& lock, Instant until) override;
  void advance(Duration duration);
  void set_wall_ms(std::int64_t wall_ms) { wall_ms_.store(wall_ms); }

 private:
  std::atomic<std::int64_t> wall_ms_{1'700'000'000'000};
  std::atomic<std::int64_t> now_ns_{3'600'000'000'000};
};

/// The same numbers for the same seed. Any thread.
class BACKPLANE_API FakeRandom final : public Random {
 public:
  explicit FakeRandom(std::uint64_t seed = 1);
  ~FakeRandom() override;
  void fill(std::span<std::byte> bytes) override;

 private:
  std::mutex mutex_;
  std::uint64_t state_;
};

/// A route that a plugin declared.
struct FakeRoute {
  http::Surface surface = http::Surface::client;
  http::Authenticator* authenticator = nullptr;
  http::Method method = http::Method::get;
  std::string pattern;
  http::RouteOptions options{};
  http::Handler handler;  ///< one of these two
  http::ParkingHandler parking;
};

struct FakeHostOptions {
  std::string server_name = "test.example";
  std::uint64_t seed = 1;
  storage::Synchronous synchronous = storage::Synchronous::off;
  /// The system's clock instead of the one that stands still.
  bool real_time = false;
  /// A PostgreSQL server's connection, and what the names of the plugins' schemas begin with; empty: SQLite.
  std::string postgresql;
  std::string schemas;
  /// This host's name among those that share the stores; needs PostgreSQL and real time.
  std::string host;
};

class BACKPLANE_API FakeHost final : public plugin::Host {
 public:
  using OptionOverrides = std::map<std::string, plugin::OptionValue, std::less<>>;
  using Create = std::function<std::unique_ptr<plugin::Plugin>(plugin::Host&)>;

  explicit FakeHost(FakeHostOptions options = {});
  ~FakeHost() override;

  /// The folder that plugins are loaded from; the default is what BACKPLANE_PLUGIN_FOLDER in the environment says.
  void set_plugin_folder(std::string folder);
  /// Loads a plugin's object. Options are its manifest's defaults but for those given.
  void load(std::string_view plugin, OptionOverrides options = {});
  /// A plugin that is part of the test.
  void add(std::string name, Create create, plugin::Options options = {});
  /// An interface that the test provides (a fake); bound before start() and living until stop().
  void provide(api::Interface& interface);
  void start();
  void stop();
  /// What somebody provides, as a consumer of the test's own; the same instance until stop().
  template <class I>
  I& connect() {
    auto& slot = connected(I::interface_id);
    if (!slot) {
      slot = std::make_unique<I>();
      connect_instance(*slot);
    }
    return static_cast<I&>(*slot);
  }

  /// Committed records of a topic that are still in its producer's outbox, oldest first.
  std::vector<log::RecordPtr> records(std::string_view topic) const;
  std::uint64_t commits(std::string_view plugin) const;
  /// What the plugin's checks find in its database.
  std::vector<std::string> findings(std::string_view plugin);
  /// The number that a SELECT in the plugin's database answers.
  std::int64_t count(std::string_view plugin, std::string_view query);
  /// The next `count` pieces of work, after `skip` others, fail with this error when they have run.
  void fail_writes(std::string_view plugin, Error error, std::size_t count = 1, std::size_t skip = 0);
  /// Holds the plugin's writer at its next piece of work until release_writer(), so that more is queued meanwhile.
  void hold_writer(std::string_view plugin);
  void release_writer(std::string_view plugin);
  const std::vector<FakeRoute>& routes() const;
  /// The value of a counter or gauge; 0 where there is none.
  std::int64_t metric(std::string_view plugin, std::string_view name, const MetricLabels& labels = {}) const;
  /// Moves the clock and runs the timers that are due, on this thread.
  void advance(Duration duration);

  FakeClock& fake_clock();
  /// Where databases and data folders are.
  const std::string& folder() const;

  // plugin::Host
  const std::string& server_name() const override;
  std::string data_folder(std::string_view plugin) override;
  Clock& clock() override;
  Random& random() override;
  Logger logger(std::string_view plugin) override;
  Executor& cpu_executor() override;
  Executor& worker_executor() override;
  plugin::Timers& timers() override;
  const std::string& public_base_url() const override;
  void* extension(std::string_view id) override;

 private:
  struct State;
  std::unique_ptr<api::Interface>& connected(std::string_view id);
  void connect_instance(api::Interface& instance);
  std::unique_ptr<State> state_;
};

}  // namespace backplane::testing
