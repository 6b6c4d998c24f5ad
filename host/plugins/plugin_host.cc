#include "host/plugins/plugin_host.h"

#include <filesystem>

namespace backplane::host {

std::string PluginHost::data_folder(std::string_view plugin) {
  const auto folder = std::filesystem::path(parts_.data_dir) / plugin;
  std::filesystem::create_directories(folder);
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
  return folder.string();
}

}  // namespace backplane::host
