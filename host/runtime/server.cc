#include "host/runtime/server.h"

#include <filesystem>
#include <mutex>
#include <optional>

#include "backplane/log/runtime.h"
#include "host/http/listener.h"
#include "host/observe/metrics_registry.h"
#include "host/observe/ops_listener.h"
#include "host/plugins/plugin_host.h"
#include "host/plugins/plugin_set.h"
#include "host/remote/remote_server.h"
#include "host/runtime/folder_claim.h"
#include "host/runtime/http_settings.h"
#include "host/runtime/other_hosts.h"
#include "host/runtime/timers.h"
#include "host/runtime/worker_pool.h"

namespace backplane::host {

struct Server::State {
  State(Config c, ChosenPlugins chosen, ServerParts p)
      : config(std::move(c)),
        parts(p),
        level(config.log.level),
        logger(parts.log_sink, level, "host"),
        cpu(cpu_pool_options(), parts.clock, logger.part("cpu")),
        background({.name = "background", .max_threads = 32}, parts.clock, logger.part("background")),
        timers(parts.clock, parts.random, background, logger.part("timers")),
        plugin_host({config.server_name, config.public_base_url, config.data_dir, parts.clock, parts.random,
                     parts.log_sink, level, cpu, background, timers}),
        log(parts.clock, parts.random, logger.part("log")),
        others(config, std::move(chosen.placement), parts.clock, metrics, log, logger.part("remote")),
        remote_server(config.shared_secret, static_cast<std::size_t>(config.workers.internal), parts.clock, logger),
        plugins(std::make_unique<PluginSet>(std::move(chosen.here), plugin_host, metrics, log)),
        started_at(parts.clock.now()) {
    plugins->set_routers([this](std::string_view id) { return others.router_of(id); });
  }

  Config config;
  ServerParts parts;
  std::atomic<LogLevel> level;
  Logger logger;
  MetricsRegistry metrics;
  WorkerPool cpu;
  WorkerPool background;
  TimerService timers;
  PluginHost plugin_host;
  log::Runtime log;
  log::Transport* transport = nullptr;
  OtherHosts others;
  RemoteServer remote_server;
  std::unique_ptr<PluginSet> plugins;
  std::mutex http_mutex;  ///< where `http` is set and reset, and for those who use it on other threads
  std::unique_ptr<HttpServer> http;
  std::unique_ptr<OpsListener> operations;
  std::atomic<bool> ready{false};
  std::atomic<bool> hurry{false};
  std::optional<FolderClaim> claim;
  bool running = false;
  Instant started_at;

  Faults claim_data();
  Faults find_transport();
  Faults start_log();
  Faults register_routes();
  Faults start_http();
  Faults start_operations();
  void stop(Instant deadline);
};

Server::Server(Config config, ChosenPlugins plugins, ServerParts parts)
    : state_(std::make_unique<State>(std::move(config), std::move(plugins), parts)) {}

Server::~Server() {
  if (state_->running) state_->stop(state_->parts.clock.now());
}

Faults Server::prepare() { return state_->plugins->configure(state_->config); }

Faults Server::State::find_transport() {
  const std::string wanted = "log_" + config.log.transport;
  transport = static_cast<log::Transport*>(plugins->find_object(log::Transport::interface_id));
  if (transport == nullptr) {
    return {{"nothing carries the logs", "no enabled plugin provides " + std::string(log::Transport::interface_id),
             "run `backplane plugins enable " + wanted + "`", config.file, 0}};
  }
  return {};
}

Faults Server::State::start_log() {
  if (auto faults = find_transport(); !faults.empty()) return faults;
  others.share_heads();
  if (const auto begun = log.start(*transport); !begun) {
    return {
        {"the logs cannot be started", begun.error().text, "correct the options of the log's plugin", config.file, 0}};
  }
  for (const log::MissingTopic& topic : log.missing_topics()) {
    std::string wanted_by;
    for (const std::string& plugin : topic.wanted_by) wanted_by += (wanted_by.empty() ? "" : ", ") + plugin;
    logger.info("nobody publishes a topic", {{"topic", topic.topic}, {"wanted_by", wanted_by}});
  }
  return {};
}

Faults Server::State::register_routes() {
  Faults faults;
  plugins->for_each_route([&](const std::string& plugin, DeclaredRoute& route) {
    const auto added = route.handler ? http->add_route(plugin, route.surface, route.method, route.pattern,
                                                       route.options, route.authenticator, route.handler)
                                     : http->add_parking_route(plugin, route.surface, route.method, route.pattern,
                                                               route.options, route.authenticator, route.parking);
    if (!added)
      faults.push_back({"a route of plugin " + plugin + " cannot be served",
                        added.error().text,
                        "disable one of the plugins",
                        {},
                        0});
  });
  for (const auto& [interface, store] : plugins->provided()) remote_server.serve(*interface, store);
  remote_server.serve(others.heads(), nullptr);
  if (!config.shared_secret.empty()) {
    if (const auto added = remote_server.add_route(*http); !added) {
      faults.push_back({"internal calls cannot be served",
                        added.error().text,
                        "disable the plugin that claims the path /api",
                        {},
                        0});
    }
  }
  return faults;
}

Faults Server::State::start_http() {
  auto made = std::make_unique<HttpServer>(http_config(config), parts.clock, parts.random, metrics.view("http"),
                                           logger.part("http"));
  {
    const std::lock_guard lock(http_mutex);
    http = std::move(made);
  }
  if (auto faults = register_routes(); !faults.empty()) return faults;
  if (const auto opened = http->start(); !opened) {
    return {{"a listener cannot be opened", opened.error().text,
             "choose another port under listeners, or stop what uses it", config.file, 0}};
  }
  return {};
}

Faults Server::State::start_operations() {
  if (!config.operations.enabled) return {};
  operations = std::make_unique<OpsListener>(
      OpsOptions{.address = config.operations.bind, .port = config.operations.port}, metrics,
      [this] { return ready.load() ? std::vector<std::string>() : std::vector<std::string>{"startup"}; },
      logger.part("operations"));
  if (const auto opened = operations->start(); !opened) {
    return {{"the operations listener cannot be opened", opened.error().text,
             "choose another port under operations, or stop what uses it", config.file, 0}};
  }
  return {};
}

Faults Server::wire_plugins() { return state_->plugins->wire(); }
std::vector<DeclaredStore> Server::declared_stores() const { return state_->plugins->declared_stores(); }

Faults Server::start_plugins() { return start_plugins(true); }

Faults Server::start_plugins(bool guest) {
  State& s = *state_;
  if (const auto loaded = s.others.load_certificates(); !loaded)
    return {{"other hosts cannot be called", loaded.error().text, "correct internal_tls", s.config.file, 0}};
  s.running = true;
  std::error_code error;
  std::filesystem::create_directories(s.config.data_dir, error);
  if (error)
    return {{"the data folder cannot be made", error.message(), "correct data_dir, or make the folder",
             s.config.data_dir, 0}};
  if (auto faults = s.plugins->wire(); !faults.empty()) return faults;
  if (auto faults = s.plugins->open_stores(s.config, guest); !faults.empty()) return faults;
  return s.plugins->start();
}

Faults Server::State::claim_data() {
  std::error_code error;
  std::filesystem::create_directories(config.data_dir, error);
  auto claimed = FolderClaim::take(config.data_dir);
  if (!claimed) {
    return {{"the data folder cannot be used", claimed.error().text,
             "stop the other server, or choose another data_dir", config.data_dir, 0}};
  }
  claim.emplace(std::move(*claimed));
  return {};
}

Faults Server::start() {
  State& s = *state_;
  Faults faults = s.claim_data();  // first: what a second server runs into is the folder, not one of its ports
  if (faults.empty()) faults = s.start_operations();
  s.others.set_patient(true);
  if (faults.empty()) faults = start_plugins(false);
  if (faults.empty()) faults = s.start_log();
  if (faults.empty()) faults = s.start_http();
  if (!faults.empty()) {
    s.stop(s.parts.clock.now());
    return faults;
  }
  s.ready = true;
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(s.parts.clock.now() - s.started_at).count();
  for (std::size_t i = 0; i < s.config.listeners.size(); ++i) {
    s.logger.info(
        "listening",
        {{"address", s.config.listeners[i].bind}, {"port", s.http->port(i)}, {"tls", s.config.listeners[i].tls()}});
  }
  s.logger.info("ready", {{"server_name", s.config.server_name}, {"after_ms", ms}});
  return {};
}

Faults Server::begin_histories(log::NewHistories& begun) {
  constexpr Duration patience = std::chrono::minutes(10);
  State& s = *state_;
  Faults faults = s.claim_data();
  if (faults.empty()) faults = s.plugins->wire();
  if (faults.empty()) faults = s.plugins->open_stores(s.config, false);
  if (faults.empty()) faults = s.find_transport();
  if (faults.empty()) {
    auto result = s.log.begin_histories(*s.transport, s.parts.clock.now() + patience);
    if (result) begun = *std::move(result);
    else
      faults = {{"not every log has begun another history", result.error().text, "correct that, and run this again",
                 s.config.file, 0}};
  }
  s.stop(s.parts.clock.now());
  return faults;
}

void Server::State::stop(Instant deadline) {
  ready = false;
  if (!running && operations == nullptr && !claim) return;
  others.set_patient(false);  // what waits for a host that may not come back ends, too
  timers.drain();
  if (http != nullptr) http->stop_accepting();
  plugins->drain(deadline);
  if (http != nullptr) {
    http->drain(hurry ? parts.clock.now() : deadline);
    http->stop();
    remote_server.stop();  // its pools run the listener's jobs, too
  }
  log.stop_consumers(hurry ? parts.clock.now() : deadline);
  timers.stop();
  background.stop();
  log.stop();
  if (transport != nullptr) transport->stop();
  plugins->stop();
  {
    const std::lock_guard lock(http_mutex);
    http.reset();
  }
  others.stop();
  cpu.stop();
  if (operations != nullptr) operations->stop();
  operations.reset();
  claim.reset();
  running = false;
}

void Server::drain_and_stop() {
  state_->logger.info(
      "stopping",
      {{"at_most_ms", std::chrono::duration_cast<std::chrono::milliseconds>(state_->config.drain_timeout).count()}});
  state_->stop(state_->parts.clock.now() + state_->config.drain_timeout);
  state_->logger.info("stopped");
}

void Server::stop_at_once() {
  state_->hurry = true;
  const std::lock_guard lock(state_->http_mutex);
  if (state_->http != nullptr) state_->http->drain(state_->parts.clock.now());
}

Faults Server::reload(const Config& config) {
  State& s = *state_;
  s.level = config.log.level;
  Faults faults;
  if (s.http == nullptr) return faults;
  s.http->set_rate_limits(rate_limits(config));
  if (const auto reloaded = s.http->reload_certificates(); !reloaded) {
    faults.push_back({"a certificate cannot be reloaded", reloaded.error().text,
                      "correct the file; the old certificate goes on serving", config.file, 0});
  }
  if (const auto reloaded = s.others.load_certificates(); !reloaded) {
    faults.push_back({"the certificates for calls to other hosts cannot be reloaded", reloaded.error().text,
                      "correct the file; the old ones go on being used", config.file, 0});
  }
  s.logger.info("reloaded", {{"log_level", to_string(config.log.level)}, {"faults", faults.size()}});
  return faults;
}

void Server::dump_state() {
  State& s = *state_;
  const std::lock_guard lock(s.http_mutex);
  s.logger.info("state", {{"ready", s.ready.load()},
                          {"connections", s.http == nullptr ? 0 : s.http->connections()},
                          {"timers", s.timers.waiting()},
                          {"cpu_queue", s.cpu.queued()},
                          {"background_queue", s.background.queued()}});
}

bool Server::ready() const { return state_->ready; }
std::uint16_t Server::port(std::size_t listener) const {
  return state_->http == nullptr ? 0 : state_->http->port(listener);
}
std::uint16_t Server::operations_port() const { return state_->operations == nullptr ? 0 : state_->operations->port(); }
bool Server::connect(api::Interface& interface) const { return state_->plugins->connect(interface); }

}  // namespace backplane::host
