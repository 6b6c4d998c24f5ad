// Hosts of one server, as far as their calls to each other go, all in this process: an interface, hosts that provide
// it, and the calling end. For tests.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "backplane/api/method_description.h"
#include "backplane/storage/store.h"
#include "backplane/testing/temporary_database.h"
#include "host/http/listener.h"
#include "host/observe/metrics_registry.h"
#include "host/remote/call_loop.h"
#include "host/remote/call_router.h"
#include "host/remote/remote_host.h"
#include "host/remote/remote_server.h"
#include "host/runtime/worker_pool.h"

namespace backplane::host::test {

struct GreetRequest {
  std::string name;
  json::Raw attachment;
  std::optional<std::int64_t> count;
};
BACKPLANE_FIELDS(GreetRequest, name, attachment, count);
struct GreetResponse {
  std::string text;
  std::string caller;
  std::string request_id;
  std::string host;
};
BACKPLANE_FIELDS(GreetResponse, text, caller, request_id, host);
struct Place {
  std::string room_id;
};
BACKPLANE_FIELDS(Place, room_id);
struct GreetRoomRequest {
  Place place;
};
BACKPLANE_FIELDS(GreetRoomRequest, place);

struct Greeter : api::Interface {
  static constexpr std::string_view interface_id = "org.example.greeter/1";
  explicit Greeter(std::string_view id = interface_id) : Interface(id) {}
  api::Method<GreetRequest, GreetResponse> greet{*this, "greet", {.repeatable = true}};
  api::Method<GreetRequest, GreetResponse> greet_once{*this, "greet_once"};
  api::DeferredMethod<GreetRequest, GreetResponse> greet_later{*this, "greet_later"};
  api::Method<GreetRoomRequest, GreetResponse> greet_room{
      *this, "greet_room", {.repeatable = true, .routing = api::Routing::key, .key_field = "place.room_id"}};
  api::DeferredMethod<GreetRoomRequest, GreetResponse> greet_room_later{
      *this, "greet_room_later", {.routing = api::Routing::key, .key_field = "place.room_id"}};
};

/// Who owns which shards of a server, decided by the test.
class Shards {
 public:
  explicit Shards(const std::string& owner) { owners_.fill(owner); }
  void give(std::uint16_t shard, const std::string& owner) {
    const std::lock_guard lock(mutex_);
    owners_[shard] = owner;
  }
  void give_all(const std::string& owner) {
    const std::lock_guard lock(mutex_);
    owners_.fill(owner);
  }
  std::string owner(std::uint16_t shard) const {
    const std::lock_guard lock(mutex_);
    return owners_[shard];
  }
  std::atomic<bool> tells_owner{true};  ///< whether who does not own a shard knows who does

 private:
  mutable std::mutex mutex_;
  std::array<std::string, log::lane_count> owners_;
};

/// A store without a database, for its ownership.
class OwnedStore final : public storage::Store, storage::Ownership {
 public:
  OwnedStore(const Shards& shards, std::string host) : shards_(shards), host_(std::move(host)) {}
  void submit(WriteWork, Done done, std::shared_ptr<storage::Chain>) override { done(unavailable("storage", "none")); }
  const storage::Ownership& ownership() const override { return *this; }
  std::uint64_t commits() const override { return 0; }
  void stop() override {}

 protected:
  Result<void> run_read(const std::function<void(storage::Session&)>&) override {
    return unavailable("storage", "none");
  }

 private:
  std::uint64_t generation(std::uint16_t shard) const override { return shards_.owner(shard) == host_ ? 1 : 0; }
  std::string owner(std::uint16_t shard) const override { return shards_.tells_owner ? shards_.owner(shard) : ""; }
  bool leads() const override { return true; }
  const Shards& shards_;
  const std::string host_;
};

/// The serving end: a listener and what it serves.
class ServingHost {
 public:
  struct Options {
    std::string secret = "not to be guessed";
    std::size_t threads = 64;
    std::optional<TlsFiles> tls{};
    std::uint16_t port = 0;
  };
  ServingHost(std::string name, const api::Interface& provider, const storage::Store* store, Options options)
      : name_(std::move(name)), options_(std::move(options)) {
    HttpConfig config;
    config.listeners.push_back(
        {.address = "127.0.0.1", .port = options_.port, .tls = options_.tls, .serves = {http::Surface::internal}});
    for (SurfacePool& pool : config.pools) pool.max_threads = options_.threads;
    http_ = std::make_unique<HttpServer>(config, system_clock(), system_random(), metrics_.view("http"),
                                         testing::quiet_logger());
    server_ =
        std::make_unique<RemoteServer>(options_.secret, options_.threads, system_clock(), testing::quiet_logger());
    server_->serve(provider, store);
    if (!server_->add_route(*http_).ok()) throw std::logic_error("the route of internal calls");
    if (const auto started = http_->start(); !started) throw std::runtime_error(started.error().text);
    port_ = http_->port();
  }
  ~ServingHost() { stop(); }
  ServingHost(const ServingHost&) = delete;
  ServingHost& operator=(const ServingHost&) = delete;
  void stop() {
    http_->stop();
    server_->stop();
  }
  HttpServer& http() { return *http_; }
  std::uint16_t port() const { return port_; }
  std::string url() const {
    return (options_.tls ? "https://localhost:" : "http://127.0.0.1:") + std::to_string(port_);
  }
  const std::string& name() const { return name_; }

 private:
  const std::string name_;
  const Options options_;
  MetricsRegistry metrics_;
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<RemoteServer> server_;
  std::uint16_t port_ = 0;
};

/// The calling end.
class CallingHost {
 public:
  explicit CallingHost(std::string secret = "not to be guessed", std::shared_ptr<const TlsContext> tls = nullptr)
      : secret_(std::move(secret)), tls_(std::move(tls)) {}
  ~CallingHost() { stop(); }
  CallingHost(const CallingHost&) = delete;
  CallingHost& operator=(const CallingHost&) = delete;
  void stop() {
    loop_.stop();
    completions_.stop();
  }
  RemoteHost& host(const std::string& name, const std::string& url) {
    return *hosts_.emplace_back(std::make_unique<RemoteHost>(RemoteHost::Options{name, url, secret_, tls_},
                                                             system_clock(), loop_, metrics.view("remote")));
  }
  CallRouter& router(std::vector<CallRouter::Provider> providers, const std::atomic<bool>* patient = nullptr) {
    return *routers_.emplace_back(std::make_unique<CallRouter>(
        "greeter", "caller", std::move(providers),
        CallRouter::Parts{system_clock(), loop_, completions_, metrics.view("remote"), patient}));
  }
  /// The sum of the metrics whose lines begin like that.
  double metric(const std::string& start) const {
    const std::string text = metrics.prometheus_text(), line_start = "\n" + start;
    double sum = 0;
    for (std::size_t at = text.find(line_start); at != std::string::npos; at = text.find(line_start, at + 1)) {
      const std::size_t end = text.find('\n', at + 1);
      sum += std::stod(text.substr(text.rfind(' ', end)));
    }
    return sum;
  }

  MetricsRegistry metrics;

 private:
  const std::string secret_;
  const std::shared_ptr<const TlsContext> tls_;
  WorkerPool completions_{{.name = "remote", .max_threads = 16}, system_clock(), testing::quiet_logger()};
  CallLoop loop_{system_clock(), testing::quiet_logger()};
  std::vector<std::unique_ptr<RemoteHost>> hosts_;
  std::vector<std::unique_ptr<CallRouter>> routers_;
};

}  // namespace backplane::host::test
