// The table of the host's own options, which drives validation, the sample config and the option docs alike, as a
// plugin's manifest does for the plugin's.
#pragma once

#include <vector>

#include "backplane/plugin/manifest.h"

namespace backplane::host {

/// Everything but `listeners`, `hosts` and `plugins`. Dots in names lead into maps.
std::vector<plugin::OptionSpec> host_options();
/// The options of one element of `listeners`.
std::vector<plugin::OptionSpec> listener_options();
/// The options of one member of `hosts`.
std::vector<plugin::OptionSpec> other_host_options();

}  // namespace backplane::host
