#include "host/plugins/resolve.h"

#include <algorithm>

namespace backplane::host {
namespace {

using plugin::Manifest;
using plugin::Need;

bool contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

/// The same interface under another revision, to say what is at hand.
std::string other_revision(const std::vector<Manifest>& manifests, const std::string& id) {
  const std::string stem = id.substr(0, id.find('/') + 1);
  for (const Manifest& m : manifests) {
    for (const std::string& provided : m.provides) {
      if (provided.starts_with(stem)) return m.name + " provides " + provided;
    }
  }
  return {};
}

void find_owners(const std::vector<Manifest>& enabled, Resolution& resolution, Faults& faults) {
  std::map<std::string, std::string> topics, routes;
  const auto claim = [&](std::map<std::string, std::string>& owners, const std::string& thing,
                         const std::string& plugin, const std::string& verb) {
    const auto [it, first] = owners.emplace(thing, plugin);
    if (!first) {
      faults.push_back({"plugins " + it->second + " and " + plugin + " both " + verb + " " + thing,
                        "only one can",
                        "disable one of them",
                        {},
                        0});
    }
  };
  for (std::size_t i = 0; i < enabled.size(); ++i) {
    for (const std::string& id : enabled[i].provides) {
      const auto [it, first] = resolution.provider_of.emplace(id, i);
      if (!first) {
        faults.push_back({"plugins " + enabled[it->second].name + " and " + enabled[i].name + " both provide " + id,
                          "only one can",
                          "disable one of them",
                          {},
                          0});
      }
    }
    for (const auto& topic : enabled[i].publishes) claim(topics, topic.topic, enabled[i].name, "publish topic");
    for (const std::string& route : enabled[i].routes) claim(routes, route, enabled[i].name, "serve");
  }
}

bool provides(const Manifest& manifest, const std::string& id) { return contains(manifest.provides, id); }

void check_needs(const Installed& installed, const Resolution& resolution, Faults& faults) {
  const auto& [enabled, elsewhere, disabled, nowhere] = installed;
  const auto provider_in = [](const std::vector<Manifest>& list, const std::string& id) {
    return std::find_if(list.begin(), list.end(), [&](const Manifest& m) { return provides(m, id); });
  };
  for (const Manifest& m : enabled) {
    for (const auto& need : m.requires_) {
      const std::string& id = need.interface_id;
      if (need.need == Need::optional || resolution.provider_of.contains(id)) continue;
      if (provider_in(elsewhere, id) != elsewhere.end()) continue;
      Fault fault{"plugin " + m.name + " needs " + id + ", which nothing provides", {}, {}, {}, 0};
      const auto off = provider_in(disabled, id), idle = provider_in(nowhere, id);
      if (idle != nowhere.end()) {
        fault.detail = "plugin " + idle->name + " provides it, but runs on no host";
        fault.fix = "list " + idle->name + " under hosts, or run `backplane plugins disable " + m.name + "`";
      } else if (off != disabled.end()) {
        fault.detail = "plugin " + off->name + " provides it, but is disabled";
        fault.fix = "run `backplane plugins enable " + off->name + "`, or `backplane plugins disable " + m.name + "`";
      } else {
        fault.detail = other_revision(enabled, id);
        fault.fix = "install a plugin that provides it, or run `backplane plugins disable " + m.name + "`";
      }
      faults.push_back(std::move(fault));
    }
  }
}

/// Depth first; a plugin that is met while its own needs are being followed closes a cycle.
class Ordering {
 public:
  Ordering(const std::vector<Manifest>& enabled, Resolution& resolution, Faults& faults)
      : enabled_(enabled), resolution_(resolution), faults_(faults), state_(enabled.size(), State::fresh) {}

  void run() {
    for (std::size_t i = 0; i < enabled_.size(); ++i) visit(i);
  }

 private:
  enum class State { fresh, open, done };

  void visit(std::size_t i) {
    if (state_[i] == State::done) return;
    path_.push_back(i);
    if (state_[i] == State::open) {
      report_cycle(i);
    } else {
      state_[i] = State::open;
      for (const auto& need : enabled_[i].requires_) {
        const auto provider = resolution_.provider_of.find(need.interface_id);
        if (need.need == Need::hard && provider != resolution_.provider_of.end() && provider->second != i)
          visit(provider->second);
      }
      state_[i] = State::done;
      resolution_.order.push_back(i);
    }
    path_.pop_back();
  }

  void report_cycle(std::size_t closing) {
    std::string cycle;
    for (auto it = std::find(path_.begin(), path_.end(), closing); it != path_.end(); ++it) {
      cycle += (cycle.empty() ? "" : " → ") + enabled_[*it].name;
    }
    faults_.push_back({"hard needs form a cycle", cycle, "one of these plugins must declare its need as late", {}, 0});
  }

  const std::vector<Manifest>& enabled_;
  Resolution& resolution_;
  Faults& faults_;
  std::vector<State> state_;
  std::vector<std::size_t> path_;
};

}  // namespace

Resolution resolve(const Installed& installed, Faults& faults) {
  Resolution resolution;
  find_owners(installed.here, resolution, faults);
  check_needs(installed, resolution, faults);
  Ordering(installed.here, resolution, faults).run();
  return resolution;
}

}  // namespace backplane::host
