#include "host/config/config.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace backplane::host {

int WorkersConfig::of(http::Surface surface) const {
  switch (surface) {
    case http::Surface::client: return client;
    case http::Surface::federation: return federation;
    case http::Surface::media: return media;
    case http::Surface::internal: return internal;
  }
  return client;
}

RateLimitSettings RateLimitsConfig::of(http::RateClass rate) const {
  switch (rate) {
    case http::RateClass::none: return {};
    case http::RateClass::read: return read;
    case http::RateClass::write: return write;
    case http::RateClass::login: return login;
    case http::RateClass::registration: return registration;
  }
  return {};
}

bool Config::enabled(std::string_view plugin) const {
  const auto found = plugins.find(plugin);
  return found == plugins.end() || found->second.enabled;
}

bool Config::runs_here(std::string_view plugin) const {
  if (!enabled(plugin)) return false;
  if (hosts.empty()) return true;
  const auto here = hosts.find(this_host);
  return here != hosts.end() && std::ranges::find(here->second.plugins, plugin) != here->second.plugins.end();
}

std::vector<std::string> default_plugin_dirs() {
  std::array<char, 4096> buffer;
  const ssize_t length = ::readlink("/proc/self/exe", buffer.data(), buffer.size());
  const std::filesystem::path program(std::string(buffer.data(), length > 0 ? static_cast<std::size_t>(length) : 0));
  const auto prefix = program.parent_path().parent_path();
  // Debian's lib folder has the architecture in its name, a build tree's has not.
  const std::array candidates{prefix / BACKPLANE_LIBDIR / "backplane" / "plugins",
                              prefix / "lib" / "backplane" / "plugins"};
  std::error_code ignored;
  for (const auto& folder : candidates)
    if (std::filesystem::is_directory(folder, ignored)) return {folder.lexically_normal().string()};
  return {candidates.front().lexically_normal().string()};
}

}  // namespace backplane::host
