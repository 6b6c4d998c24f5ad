// Small files, read and written whole. Used for config, secrets and keys: writing replaces atomically, so that a crash
// leaves the old file or the new one.
#pragma once

#include <string>
#include <string_view>

namespace backplane::host {

/// Fills `text`; answers why not (`No such file or directory`), or nothing.
std::string read_file(const std::string& path, std::string& text);
/// Writes beside the file, syncs, renames. `mode` as in chmod. Answers why not, or nothing.
std::string write_file(const std::string& path, std::string_view text, unsigned mode = 0644);
/// `path` seen from `folder`, without `.` and `..`; an absolute path stays.
std::string absolute_path(const std::string& path, const std::string& folder);
/// The folder that the file is in.
std::string folder_of(const std::string& path);

}  // namespace backplane::host
