// The wiring as the manifests of the enabled plugins describe it: who provides what each needs, and in which order
// they start. Runs no plugin code. Pure functions.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "backplane/plugin/manifest.h"
#include "host/config/fault.h"

namespace backplane::host {

struct Resolution {
  std::vector<std::size_t> order;                  ///< indices of the manifests, providers of hard needs first
  std::map<std::string, std::size_t> provider_of;  ///< interface id → index
};

/// The manifests of every plugin that is installed.
struct Installed {
  std::vector<plugin::Manifest> here;       ///< they run in this process
  std::vector<plugin::Manifest> elsewhere;  ///< they run on other hosts of this server
  std::vector<plugin::Manifest> disabled;
  std::vector<plugin::Manifest> nowhere;  ///< enabled, but no host lists them
};

/// Faults: a need that neither this host nor another provides (a disabled plugin that would is named), an interface or
/// a topic with two owners, a route that two plugins claim, a cycle of hard needs.
Resolution resolve(const Installed& installed, Faults& faults);

}  // namespace backplane::host
