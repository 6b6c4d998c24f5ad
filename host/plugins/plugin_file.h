// A plugin on disk: its manifest and its object, checked before a line of its code runs. Only a file that nobody but
// its trusted owner may write is loaded, and what is loaded is the descriptor that was checked.
//
// One thread. A loaded object stays loaded for the life of the process: dlclose with an object of the plugin alive
// would crash, and whether it unmaps at all depends on symbols that nobody controls.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "backplane/plugin/entry.h"
#include "backplane/plugin/manifest.h"
#include "host/config/fault.h"

namespace backplane::host {

struct PluginFile {
  std::filesystem::path object;         ///< …/<name>.so
  std::filesystem::path manifest_path;  ///< …/<name>.json
  plugin::Manifest manifest;
};

/// Every plugin in the folders: a manifest with its object beside it. A plugin found twice, a manifest that cannot be
/// read and a folder that is not there are faults.
std::vector<PluginFile> discover_plugins(const std::vector<std::filesystem::path>& folders, Faults& faults);

/// Checks the object's owner, mode, format, entry and manifest, and loads it. Nothing, and a fault, when it may not be
/// used.
const plugin::Entry* load_plugin(const PluginFile& file, Faults& faults);

}  // namespace backplane::host
