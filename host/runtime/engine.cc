#include "host/runtime/engine.h"

#include <algorithm>
#include <atomic>
#include <filesystem>

#include "backplane/api/user_api.h"
#include "host/config/plugin_options.h"
#include "host/observe/log_sink.h"
#include "host/plugins/placement.h"
#include "host/plugins/wiring_graph.h"
#include "host/runtime/other_hosts.h"
#include "host/runtime/server.h"

namespace backplane::host {
namespace {

std::vector<PluginFile> discover_configured(const Config& config, Faults& faults) {
  return discover_plugins({config.plugin_dirs.begin(), config.plugin_dirs.end()}, faults);
}

/// A transport that config did not choose stays out: several may be installed.
bool is_other_transport(const Config& config, const plugin::Manifest& manifest) {
  const bool carries = std::find(manifest.provides.begin(), manifest.provides.end(), "backplane.log_transport/1") !=
                       manifest.provides.end();
  return carries && manifest.name != "log_" + config.log.transport;
}

std::vector<plugin::Manifest> enabled_manifests(const Config& config, Faults& faults) {
  std::vector<plugin::Manifest> manifests;
  for (PluginFile& file : discover_configured(config, faults)) {
    if (config.enabled(file.manifest.name) && !is_other_transport(config, file.manifest))
      manifests.push_back(std::move(file.manifest));
  }
  return manifests;
}

/// What provides accounts, and what that needs.
std::vector<PluginFile> only_accounts(std::vector<PluginFile> files) {
  std::vector<std::string> wanted{std::string(api::UserApi::interface_id)};
  std::vector<PluginFile> chosen;
  for (auto file = files.rbegin(); file != files.rend(); ++file) {  // providers come first in the starting order
    const auto& provides = file->manifest.provides;
    const bool is_wanted = std::any_of(provides.begin(), provides.end(), [&](const auto& id) {
      return std::find(wanted.begin(), wanted.end(), id) != wanted.end();
    });
    if (!is_wanted) continue;
    for (const auto& need : file->manifest.requires_) wanted.push_back(need.interface_id);
    chosen.insert(chosen.begin(), std::move(*file));
  }
  return chosen;
}

/// A server and the sink that its log goes to.
class LoggingServer final : public ServerControl {
 public:
  LoggingServer(std::unique_ptr<LogSink> sink, const Config& config, ChosenPlugins plugins)
      : sink_(std::move(sink)), server_(config, std::move(plugins), {system_clock(), system_random(), *sink_}) {}
  Faults prepare() { return server_.prepare(); }
  std::vector<Fault> start() override { return server_.start(); }
  void drain_and_stop() override { server_.drain_and_stop(); }
  void stop_at_once() override { server_.stop_at_once(); }
  std::vector<Fault> reload(const Config& config) override { return server_.reload(config); }
  void dump_state() override { server_.dump_state(); }

 private:
  std::unique_ptr<LogSink> sink_;
  Server server_;
};

}  // namespace

std::unique_ptr<LogSink> sink_of(const Config& config, Faults& faults) {
  auto sink = SpdlogSink::open({config.log.format == LogFormat::json, config.log.file}, system_clock());
  if (sink) return std::move(*sink);
  faults.push_back({"the log cannot be written", sink.error().text, "correct log.file", config.file, 0});
  return nullptr;
}

namespace {

std::string provider_of_accounts(const Placement& placement) {
  const auto provider = placement.providers.find(api::UserApi::interface_id);
  return provider == placement.providers.end() ? std::string() : provider->second.plugin;
}

/// Has the host that runs the accounts make one, this one included: it may be running.
Result<api::LogInResponse> ask_hosts(const Config& config, const Placement& placement,
                                     const api::RegisterAccountRequest& request, LogSink& sink) {
  Config outside = config;
  outside.this_host.clear();
  const std::atomic<LogLevel> level{config.log.level};
  const Logger logger(sink, level, "users");
  MetricsRegistry metrics;
  log::Runtime log(system_clock(), system_random(), logger);
  OtherHosts hosts(outside, placement, system_clock(), metrics, log, logger);
  BACKPLANE_CHECK(hosts.load_certificates());
  CallRouter* router = hosts.router_of(api::UserApi::interface_id);
  if (router == nullptr) return unavailable("no_provider", "no host provides accounts");
  api::UserApi users;
  router->bind(users);
  return users.register_account({.caller = "host"}, request);
}

}  // namespace

ChosenPlugins choose_plugins(const Config& config, Faults& faults) {
  std::vector<PluginFile> files;
  std::vector<plugin::Manifest> installed, enabled;
  for (PluginFile& file : discover_configured(config, faults)) {
    if (is_other_transport(config, file.manifest)) continue;
    installed.push_back(file.manifest);
    if (config.enabled(file.manifest.name)) enabled.push_back(file.manifest);
    if (config.runs_here(file.manifest.name)) files.push_back(std::move(file));
  }
  ChosenPlugins chosen;
  chosen.placement = place(config, enabled);
  check_placement(config, installed, faults);
  const Installed seen = seen_from(config, config.this_host, installed);
  for (const std::size_t i : resolve(seen, faults).order) chosen.here.push_back(std::move(files[i]));
  return chosen;
}

EveryPlugin prepare_every_plugin(const Config& config, Faults& faults) {
  EveryPlugin every;
  Config everywhere = config;
  everywhere.hosts.clear();
  everywhere.this_host.clear();
  ChosenPlugins plugins = choose_plugins(everywhere, faults);
  every.sink = sink_of(config, faults);
  if (!faults.empty()) return every;
  every.server = std::make_unique<Server>(everywhere, std::move(plugins),
                                          ServerParts{system_clock(), system_random(), *every.sink});
  faults = every.server->prepare();
  return every;
}

Discovery HostEngine::discover(const Config& config) {
  Discovery discovery;
  for (PluginFile& file : discover_configured(config, discovery.faults)) {
    discovery.plugins.push_back({std::move(file.manifest), file.object.string()});
  }
  return discovery;
}

std::vector<Fault> HostEngine::check(const Config& config) {
  Faults faults;
  make_server(config, faults);
  Faults ignored;  // what is wrong with plugins' files was said above
  std::vector<plugin::Manifest> installed;
  for (PluginFile& file : discover_configured(config, ignored))
    if (!is_other_transport(config, file.manifest)) installed.push_back(std::move(file.manifest));
  check_other_hosts(config, installed, faults);
  return faults;
}

std::string HostEngine::wiring(const Config& config, WiringFormat format, std::vector<Fault>& faults) {
  const auto manifests = enabled_manifests(config, faults);
  if (!faults.empty()) return {};
  switch (format) {
    case WiringFormat::text: return wiring_as_text(manifests);
    case WiringFormat::dot: return wiring_as_dot(manifests);
    case WiringFormat::markdown: return wiring_as_markdown(manifests);
  }
  return {};
}

std::unique_ptr<ServerControl> HostEngine::make_server(const Config& config, std::vector<Fault>& faults) {
  ChosenPlugins plugins = choose_plugins(config, faults);
  std::vector<plugin::Manifest> all;
  for (PluginFile& file : discover_plugins({config.plugin_dirs.begin(), config.plugin_dirs.end()}, faults))
    all.push_back(std::move(file.manifest));
  check_shared_files(config, all, faults);
  for (Fault& fault : check_plugin_names(config, all)) faults.push_back(std::move(fault));
  auto sink = sink_of(config, faults);
  if (!faults.empty()) return nullptr;
  auto server = std::make_unique<LoggingServer>(std::move(sink), config, std::move(plugins));
  for (Fault& fault : server->prepare()) faults.push_back(std::move(fault));
  return faults.empty() ? std::move(server) : nullptr;
}

std::vector<Fault> HostEngine::create_user(const Config& config, const NewUser& user) {
  Faults faults;
  ChosenPlugins plugins = choose_plugins(config, faults);
  auto sink = sink_of(config, faults);
  if (!faults.empty()) return faults;
  api::RegisterAccountRequest request;
  request.localpart = user.localpart;
  request.password = user.password;
  request.admin = user.admin;
  request.inhibit_login = true;
  request.by_operator = true;
  const auto outcome = [&](const Result<api::LogInResponse>& made) -> Faults {
    if (made) return {};
    return {{"the account " + user.localpart + " cannot be made",
             made.error().text,
             "choose another name or password",
             {},
             0}};
  };
  if (!config.hosts.empty()) {
    const auto made = ask_hosts(config, plugins.placement, request, *sink);
    const bool accounts_are_here = config.runs_here(provider_of_accounts(plugins.placement));
    if (made || made.error().reason != "host_unreachable") return outcome(made);
    if (!accounts_are_here)
      return {
          {"the account " + user.localpart + " cannot be made", made.error().text, "start that host", config.file, 0}};
  }
  plugins.here = only_accounts(std::move(plugins.here));
  Server server(config, std::move(plugins), {system_clock(), system_random(), *sink});
  if (faults = server.prepare(); !faults.empty()) return faults;
  if (faults = server.start_plugins(); !faults.empty()) return faults;
  api::UserApi users;
  if (!server.connect(users)) {
    return {{"nothing provides accounts", {}, "run `backplane plugins enable user_api`", config.file, 0}};
  }
  return outcome(users.register_account({}, request));
}

}  // namespace backplane::host
