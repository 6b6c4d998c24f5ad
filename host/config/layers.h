// Reads the files and the environment that config consists of, and lays them over each other.
#pragma once

#include <string>
#include <vector>

#include "host/config/environment.h"
#include "host/config/fault.h"
#include "host/config/setting.h"

namespace backplane::host {

struct Layers {
  Setting root;
  std::vector<std::string> files;  ///< that were read
  bool main_file_was_read = false;
};

/// `path` is absolute. Disabled plugins' references to secrets are left alone.
Layers read_layers(const std::string& path, const Environment& environment, std::vector<Fault>& faults);

/// The file of its own that `backplane plugins enable|disable` writes, beside that backplane.yaml.
std::string plugin_switch_file(const std::string& config_path);

}  // namespace backplane::host
