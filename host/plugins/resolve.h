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

/// Faults: a need without a provider (a disabled plugin that would provide it is named), an interface or a topic with
/// two owners, a route that two plugins claim, a cycle of hard needs. `disabled`: manifests of what is switched off.
Resolution resolve(const std::vector<plugin::Manifest>& enabled, const std::vector<plugin::Manifest>& disabled, Faults& faults);

}  // namespace backplane::host
