// The files of a split server, where each host has one of its own: what has to be the same in all of them.
#pragma once

#include <span>
#include <string>

#include "backplane/plugin/manifest.h"
#include "host/config/config.h"
#include "host/config/fault.h"

namespace backplane::host {

/// What differs between two hosts' configs and must not. Secrets are compared and never shown. `manifests` types the
/// options of the log's plugin.
Faults compare_configs(const Config& first, const Config& other, std::span<const plugin::Manifest> manifests);

}  // namespace backplane::host
