// Reads YAML into settings. Keys that are there twice, which the YAML library keeps silently, are faults.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/config/fault.h"
#include "host/config/setting.h"

namespace backplane::host {

/// Reads one document; what is wrong is added to `faults`. An empty text is an empty map. `file` is for the faults.
Setting read_yaml(std::string_view text, const std::string& file, std::vector<Fault>& faults);
/// The same from a file; one that cannot be read is a fault.
Setting read_yaml_file(const std::string& path, std::vector<Fault>& faults);
/// A text from the environment that stands for a list or map (`[a, b]`, `{a: b}`) becomes one. One that is no YAML is a
/// fault, and becomes nothing.
void unfold(Setting& setting, std::vector<Fault>& faults);

}  // namespace backplane::host
