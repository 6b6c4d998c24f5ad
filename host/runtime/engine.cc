#include "host/runtime/engine.h"

#include <algorithm>
#include <filesystem>

#include "backplane/api/user_api.h"
#include "host/config/plugin_options.h"
#include "host/observe/log_sink.h"
#include "host/plugins/wiring_graph.h"
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

/// The URL of the other host that runs a plugin; empty when none does.
std::string url_of_host_with(const Config& config, const std::string& plugin) {
  if (!config.enabled(plugin)) return {};
  for (const auto& [name, host] : config.hosts) {
    if (name != config.this_host && std::find(host.plugins.begin(), host.plugins.end(), plugin) != host.plugins.end())
      return host.url;
  }
  return {};
}

/// What spread components need and this configuration does not have.
void check_spread(const Config& config, const Installed& installed, Faults& faults) {
  if (installed.elsewhere.empty()) return;
  if (config.shared_secret.empty()) {
    faults.push_back({"hosts of this server have no shared secret", "without one they cannot call each other",
                      "set shared_secret, the same on every host", config.file, 0});
  }
  const auto publishes = [](const std::vector<plugin::Manifest>& manifests, const std::string& topic) {
    return std::any_of(manifests.begin(), manifests.end(), [&](const plugin::Manifest& m) {
      return std::any_of(m.publishes.begin(), m.publishes.end(), [&](const auto& p) { return p.topic == topic; });
    });
  };
  if (config.log.transport != "in_process") return;
  for (const plugin::Manifest& m : installed.here) {
    for (const auto& consumed : m.consumes) {
      if (!publishes(installed.elsewhere, consumed.topic)) continue;
      faults.push_back({"topic " + consumed.topic + " would have to go from one host to another",
                        "plugin " + m.name + " follows it here, and log.transport is in_process",
                        "run both plugins on one host, or choose a transport that spans hosts", config.file, 0});
    }
  }
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
  void on_failure(std::function<void(const Fault&)> report) override { server_.on_failure(std::move(report)); }

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

ChosenPlugins choose_plugins(const Config& config, Faults& faults) {
  std::vector<PluginFile> files;
  Installed installed;
  ChosenPlugins chosen;
  for (PluginFile& file : discover_configured(config, faults)) {
    const plugin::Manifest& manifest = file.manifest;
    if (is_other_transport(config, manifest)) continue;
    if (config.runs_here(manifest.name)) {
      installed.here.push_back(manifest);
      files.push_back(std::move(file));
    } else if (const std::string url = url_of_host_with(config, manifest.name); !url.empty()) {
      installed.elsewhere.push_back(manifest);
      for (const std::string& id : manifest.provides) chosen.elsewhere.emplace(id, url);
    } else {
      installed.disabled.push_back(manifest);
    }
  }
  check_spread(config, installed, faults);
  for (const std::size_t i : resolve(installed, faults).order) chosen.here.push_back(std::move(files[i]));
  return chosen;
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
  plugins.here = only_accounts(std::move(plugins.here));
  auto sink = sink_of(config, faults);
  if (!faults.empty()) return faults;
  Server server(config, std::move(plugins), {system_clock(), system_random(), *sink});
  if (faults = server.prepare(); !faults.empty()) return faults;
  if (faults = server.start_plugins(); !faults.empty()) return faults;
  api::UserApi users;
  if (!server.connect(users)) {
    return {{"nothing provides accounts", {}, "run `backplane plugins enable user_api`", config.file, 0}};
  }
  api::RegisterAccountRequest request;
  request.localpart = user.localpart;
  request.password = user.password;
  request.admin = user.admin;
  request.inhibit_login = true;
  request.by_operator = true;
  if (const auto made = users.register_account({}, request); !made) {
    faults.push_back({"the account " + user.localpart + " cannot be made",
                      made.error().text,
                      "choose another name or password",
                      {},
                      0});
  }
  return faults;
}

}  // namespace backplane::host
