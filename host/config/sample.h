// Writes config for people to begin with, and the list of all options, from the tables that also check config: what
// they say is what holds.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "backplane/plugin/manifest.h"

namespace backplane::host {

/// A backplane.yaml with every option of the host: documented, its default commented out.
std::string sample_config(std::string_view server_name, std::string_view data_dir);
/// A plugins.d/<plugin>.yaml with every option of the plugin.
std::string sample_plugin_config(const plugin::Manifest& manifest);
/// docs/operators/options.md: every option of the host and of these plugins.
std::string option_docs(std::span<const plugin::Manifest> manifests);

}  // namespace backplane::host
