// Turns settings into typed values by a table of options: the host's own, a listener's, or a plugin's manifest. One
// place for what an unknown name, a wrong type and a missing value are told.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/plugin/manifest.h"
#include "host/config/fault.h"
#include "host/config/setting.h"

namespace backplane::host {

using OptionValues = std::map<std::string, plugin::OptionValue, std::less<>>;

struct ReadRules {
  std::string owner;           ///< follows an option's name in faults: ` for plugin room_server`; may be empty
  std::string prefix;          ///< comes before an option's name in faults: `listeners[0].`; may be empty
  std::string folder;          ///< what relative paths that were set are relative to
  std::string default_folder;  ///< what relative paths that are defaults are relative to
  std::string set_in;          ///< where a missing option is best written: `backplane.yaml`
  bool skip_missing = false;   ///< the file could not be read: say nothing of what is not in it
  std::vector<std::string> others = {};  ///< names that are allowed and read by somebody else
};

/// Every option of the table, with its default where nothing is set; dots in an option's name lead into maps. A
/// required option that is missing is a fault and not in the answer.
OptionValues read_options(const Setting& map, std::span<const plugin::OptionSpec> table, const ReadRules& rules,
                          std::vector<Fault>& faults);

}  // namespace backplane::host
