// Which host of a server runs which plugin, and so where calls and records go: from config's `hosts` and the plugins'
// manifests. Without `hosts` everything runs in this process. Pure functions, but for one; runs no plugin code.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/plugin/manifest.h"
#include "host/config/config.h"
#include "host/plugins/resolve.h"

namespace backplane::host {

struct Placement {
  struct Provider {
    std::string plugin;
    std::vector<std::string> hosts;  ///< by name; without `hosts` in config: one that is empty
  };
  std::map<std::string, Provider, std::less<>> providers;                   ///< by interface id
  std::map<std::string, std::vector<std::string>, std::less<>> publishers;  ///< hosts, by topic
};

/// The hosts that run an enabled plugin, by name.
std::vector<std::string> hosts_of(const Config& config, std::string_view plugin);

/// `enabled`: every plugin that config lets run, wherever.
Placement place(const Config& config, const std::vector<plugin::Manifest>& enabled);

/// The plugins as the host of that name sees them. `installed`: all of them.
Installed seen_from(const Config& config, std::string_view host, const std::vector<plugin::Manifest>& installed);

/// What hosts other than this one lack: each starts only with its needs met.
void check_other_hosts(const Config& config, const std::vector<plugin::Manifest>& installed, Faults& faults);

/// What several hosts need and do not have: plugins that are nowhere or in too many places, a database and a log that
/// they can share. `installed`: all of them; nothing without `hosts`.
void check_placement(const Config& config, const std::vector<plugin::Manifest>& installed, Faults& faults);

/// Files that the hosts of a plugin are to have in common and that are not there on this one: each host would make one
/// of its own. Looks at the disk.
void check_shared_files(const Config& config, const std::vector<plugin::Manifest>& installed, Faults& faults);

}  // namespace backplane::host
