// What the environment says: the last layer of config, and the secrets that a file refers to.
//
//   BACKPLANE__STORAGE__ENGINE=postgresql                          storage.engine
//   BACKPLANE__LISTENERS__0__PORT=8080                             the first listener's port; 1 past the end adds one
//   BACKPLANE__PLUGINS__ROOM_SERVER__DEFAULT_ROOM_VERSION=11       an option of a plugin
//   BACKPLANE__TRUSTED_PROXIES='[10.0.0.0/8]'                      lists and maps are written as in YAML
//
// Two underscores separate the parts; names are put in lower case. In any text of config, `${env:NAME}` stands for a
// variable and `${file:/path}` for what a file holds (without newlines at the end); `$${` is a literal `${`.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "host/config/fault.h"
#include "host/config/setting.h"

namespace backplane::host {

using Environment = std::map<std::string, std::string>;

/// The process's own, as it is now.
Environment process_environment();
/// Lays the variables that begin with BACKPLANE__ over the settings.
void overlay_environment(Setting& root, const Environment& environment, std::vector<Fault>& faults);
/// Replaces `${…}` in every text of the setting, which faults call `name`. Relative paths of files are relative to
/// `folder`.
void expand(Setting& setting, const std::string& name, const Environment& environment, const std::string& folder,
            std::vector<Fault>& faults);

}  // namespace backplane::host
