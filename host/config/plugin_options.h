// From what config says about plugins to what their manifests allow.
#pragma once

#include <span>
#include <vector>

#include "backplane/plugin/manifest.h"
#include "backplane/plugin/options.h"
#include "host/config/config.h"
#include "host/config/fault.h"

namespace backplane::host {

struct BuiltOptions {
  plugin::Options options;    ///< complete when there are no faults
  std::vector<Fault> faults;  ///< every one
};

/// The plugin's options, typed and checked. Paths that were set are relative to the config's folder, paths that are
/// defaults to data_dir; both are absolute in the answer.
BuiltOptions build_options(const plugin::Manifest& manifest, const Config& config);
/// The same; the faults go to the others.
plugin::Options build_options(const plugin::Manifest& manifest, const Config& config, std::vector<Fault>& faults);

/// Plugins that config names (below `plugins`, in plugins.d, in `hosts`, as the log's transport) and that are not
/// among the manifests.
std::vector<Fault> check_plugin_names(const Config& config, std::span<const plugin::Manifest> manifests);

}  // namespace backplane::host
