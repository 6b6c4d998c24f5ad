#include "host/cli/command.h"

#include <filesystem>

namespace backplane::host {

std::string CommandContext::value(const std::string& flag, std::string other) const {
  const auto found = flags_.find(flag);
  return found == flags_.end() ? other : found->second.back();
}

std::vector<std::string> CommandContext::values(const std::string& flag) const {
  const auto found = flags_.find(flag);
  return found == flags_.end() ? std::vector<std::string>() : found->second;
}

std::optional<std::string> CommandContext::config_path() const {
  if (has("--config")) return value("--config");
  if (const auto named = environment().find("BACKPLANE_CONFIG"); named != environment().end()) return named->second;
  std::error_code ignored;
  for (const char* usual : {"backplane.yaml", "/etc/backplane/backplane.yaml"})
    if (std::filesystem::exists(usual, ignored)) return usual;
  return std::nullopt;
}

std::optional<Config> CommandContext::load() const {
  const auto path = config_path();
  if (!path) {
    err() << Fault{"there is no config file", "looked for ./backplane.yaml and /etc/backplane/backplane.yaml",
                   "name it with --config, or make one with `backplane generate-config --server-name NAME`", "", 0};
    return std::nullopt;
  }
  LoadedConfig loaded = load_config(*path, environment());
  if (finish(loaded.faults) != exit_ok) return std::nullopt;
  return std::move(loaded.config);
}

std::optional<Config> CommandContext::load_or_defaults() const {
  if (config_path()) return load();
  Config config;
  config.plugin_dirs = default_plugin_dirs();
  config.log.transport = "in_process";
  return config;
}

int CommandContext::finish(const std::vector<Fault>& faults, int code) const {
  if (faults.empty()) return exit_ok;
  err() << format_faults(faults);
  if (faults.size() > 1) err() << "\n" << faults.size() << " faults\n";
  return code;
}

int CommandContext::usage(std::string_view complaint) const {
  err() << Fault{std::string(complaint), "", "`backplane help` says how commands are written", "", 0};
  return exit_usage;
}

}  // namespace backplane::host
