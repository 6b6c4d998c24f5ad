#include "host/plugins/placement.h"

#include <algorithm>
#include <filesystem>

#include "host/config/plugin_options.h"

namespace backplane::host {
namespace {

using plugin::Manifest;

bool lists(const HostConfig& host, std::string_view plugin) {
  return std::ranges::find(host.plugins, plugin) != host.plugins.end();
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

class PlacementCheck {
 public:
  PlacementCheck(const Config& config, const std::vector<Manifest>& installed, Faults& faults)
      : config_(config), installed_(installed), faults_(faults) {}

  void run() {
    if (config_.hosts.size() < 2) return;
    check_shared_parts();
    check_listener();
    check_transport();
    for (const Manifest& manifest : installed_) {
      if (!config_.enabled(manifest.name)) continue;
      check_number(manifest);
      check_topics(manifest);
    }
  }

 private:
  void report(const Source& where, std::string what, std::string detail, std::string fix) {
    faults_.push_back(fault_at(where, std::move(what), std::move(detail), std::move(fix)));
  }

  /// The log's plugin is part of every host.
  void check_transport() {
    const std::string transport = "log_" + config_.log.transport;
    for (const auto& [name, host] : config_.hosts) {
      if (host.plugins.empty() || lists(host, transport)) continue;
      report(host.source, "host '" + name + "' does not run plugin " + transport, "it carries the logs, on every host",
             "add " + transport + " to the host's plugins");
    }
  }

  /// What runs here and others call needs a way in.
  void check_listener() {
    const bool served = std::ranges::any_of(config_.listeners, [](const ListenerSettings& listener) {
      return std::ranges::find(listener.serves, http::Surface::internal) != listener.serves.end();
    });
    if (served) return;
    for (const Manifest& manifest : installed_) {
      if (!config_.runs_here(manifest.name) || (manifest.provides.empty() && manifest.publishes.empty())) continue;
      return report(config_.hosts.find(config_.this_host)->second.source,
                    "host '" + config_.this_host + "' has no listener for internal calls",
                    "other hosts call plugin " + manifest.name + " there",
                    "add a listener with `serves: [internal]`, at the port that is in the host's url");
    }
  }

  void check_shared_parts() {
    if (config_.storage.engine == StorageEngine::sqlite)
      faults_.push_back({"several hosts cannot share SQLite's files", "storage.engine is sqlite",
                         "set storage.engine to postgresql and storage.connection to where it is", config_.file, 0});
    if (config_.log.transport != "in_process") return;
    std::string ways;
    for (const Manifest& publisher : installed_) {
      for (const auto& topic : publisher.publishes) {
        for (const Manifest& consumer : installed_) {
          if (!follows(consumer, topic.topic) || !spans(publisher.name, consumer.name)) continue;
          ways.append(ways.empty() ? "" : "; ").append(topic.topic).append(" from ").append(at(publisher.name));
          ways.append(" to ").append(at(consumer.name));
        }
      }
    }
    if (ways.empty()) return;
    faults_.push_back({"log.transport in_process cannot carry records from one host to another", std::move(ways),
                       "set log.transport to kafka, or run these plugins on one host", config_.file, 0});
  }

  std::string at(const std::string& plugin) const { return plugin + " (" + joined(hosts_of(config_, plugin)) + ")"; }

  static bool follows(const Manifest& manifest, const std::string& topic) {
    return std::ranges::any_of(manifest.consumes, [&](const auto& c) { return c.topic == topic; });
  }

  bool spans(const std::string& publisher, const std::string& consumer) const {
    const auto from = hosts_of(config_, publisher), to = hosts_of(config_, consumer);
    if (from.empty() || to.empty()) return false;
    return from.size() > 1 || to.size() > 1 || from != to;
  }

  void check_number(const Manifest& manifest) {
    const auto hosts = hosts_of(config_, manifest.name);
    if (hosts.size() < 2 || manifest.several_hosts) return;
    report(config_.hosts.find(hosts[1])->second.source, "plugin " + manifest.name + " is to run on several hosts",
           "it runs on one at a time; listed for " + joined(hosts), "leave it on the list of one of them");
  }

  void check_topics(const Manifest& manifest) {
    const auto hosts = hosts_of(config_, manifest.name);
    if (hosts.empty()) return;
    for (const auto& consumed : manifest.consumes) {
      for (const Manifest& publisher : installed_) {
        const bool publishes =
            std::ranges::any_of(publisher.publishes, [&](const auto& p) { return p.topic == consumed.topic; });
        if (!publishes || !config_.enabled(publisher.name) || !hosts_of(config_, publisher.name).empty()) continue;
        report(config_.hosts.find(hosts[0])->second.source,
               "plugin " + manifest.name + " follows topic " + consumed.topic + ", which no host publishes",
               "plugin " + publisher.name + " publishes it, but runs on no host",
               "list " + publisher.name + " for a host, or disable it");
      }
    }
  }

  const Config& config_;
  const std::vector<Manifest>& installed_;
  Faults& faults_;
};

}  // namespace

std::vector<std::string> hosts_of(const Config& config, std::string_view plugin) {
  std::vector<std::string> out;
  if (!config.enabled(plugin)) return out;
  for (const auto& [name, host] : config.hosts)
    if (lists(host, plugin)) out.push_back(name);
  return out;
}

Placement place(const Config& config, const std::vector<Manifest>& enabled) {
  Placement out;
  for (const Manifest& manifest : enabled) {
    const std::vector<std::string> hosts =
        config.hosts.empty() ? std::vector<std::string>{""} : hosts_of(config, manifest.name);
    if (hosts.empty()) continue;
    for (const std::string& id : manifest.provides)
      out.providers.emplace(id, Placement::Provider{manifest.name, hosts});
    for (const auto& topic : manifest.publishes) out.publishers.emplace(topic.topic, hosts);
  }
  return out;
}

Installed seen_from(const Config& config, std::string_view host, const std::vector<Manifest>& installed) {
  Installed out;
  for (const Manifest& manifest : installed) {
    if (!config.enabled(manifest.name)) {
      out.disabled.push_back(manifest);
      continue;
    }
    const auto hosts = hosts_of(config, manifest.name);
    if (config.hosts.empty() || std::ranges::find(hosts, host) != hosts.end()) out.here.push_back(manifest);
    else if (!hosts.empty()) out.elsewhere.push_back(manifest);
    else out.nowhere.push_back(manifest);
  }
  return out;
}

void check_other_hosts(const Config& config, const std::vector<Manifest>& installed, Faults& faults) {
  for (const auto& [name, host] : config.hosts) {
    if (name == config.this_host) continue;
    Faults theirs;
    (void)resolve(seen_from(config, name, installed), theirs);
    for (Fault& fault : theirs) {
      fault.what = "on host " + name + ": " + fault.what;
      fault.file = host.source.file;
      fault.line = host.source.line;
      faults.push_back(std::move(fault));
    }
  }
}

void check_shared_files(const Config& config, const std::vector<Manifest>& installed, Faults& faults) {
  for (const Manifest& manifest : installed) {
    const auto hosts = hosts_of(config, manifest.name);
    if (hosts.size() < 2 || !config.runs_here(manifest.name)) continue;
    const BuiltOptions built = build_options(manifest, config);
    const auto settings = config.plugins.find(manifest.name);
    for (const plugin::OptionSpec& option : manifest.options) {
      if (!option.shared || !built.faults.empty()) continue;
      const std::string path = built.options.text(option.name);
      std::error_code error;
      if (std::filesystem::status(path, error).type() != std::filesystem::file_type::not_found) continue;
      const Setting* set = settings == config.plugins.end() ? nullptr : settings->second.options.find(option.name);
      faults.push_back(fault_at(
          set == nullptr ? Source{config.file, 0} : set->source,
          "the file that plugins." + manifest.name + "." + option.name + " names is not there",
          path + " has to be the same on all hosts that run plugin " + manifest.name + " (" + joined(hosts) +
              "); each of them would make one of its own",
          "copy it from where the server ran before, or make it once, and put it there on each of these hosts"));
    }
  }
}

void check_placement(const Config& config, const std::vector<Manifest>& installed, Faults& faults) {
  if (!config.hosts.empty()) PlacementCheck(config, installed, faults).run();
}

}  // namespace backplane::host
