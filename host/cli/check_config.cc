#include "host/cli/command.h"
#include "host/config/compare.h"

namespace backplane::host {
namespace {

/// Another host's file, read as that host would, or as some host where only its environment says which it is.
LoadedConfig load_other(const CommandContext& context, const std::string& path) {
  Environment environment = context.environment();
  environment.erase("BACKPLANE__THIS_HOST");
  LoadedConfig loaded = load_config(path, environment);
  if (!loaded.config.this_host.empty() || loaded.config.hosts.empty()) return loaded;
  environment["BACKPLANE__THIS_HOST"] = loaded.config.hosts.begin()->first;
  loaded = load_config(path, environment);
  loaded.config.this_host.clear();
  return loaded;
}

/// Faults of the others' files, and what does not agree with this one.
void check_others(CommandContext& context, LoadedConfig& own) {
  std::vector<plugin::Manifest> manifests;
  for (DiscoveredPlugin& found : context.engine().discover(own.config).plugins)
    manifests.push_back(std::move(found.manifest));
  for (const std::string& path : context.values("--hosts")) {
    const LoadedConfig other = load_other(context, path);
    own.faults.insert(own.faults.end(), other.faults.begin(), other.faults.end());
    for (Fault& fault : compare_configs(own.config, other.config, manifests)) own.faults.push_back(std::move(fault));
    own.files.insert(own.files.end(), other.files.begin(), other.files.end());
  }
}

}  // namespace

int run_check_config(CommandContext& context) {
  const auto path = context.config_path();
  if (!path) return context.load() ? exit_ok : exit_faults;  // says what is missing
  LoadedConfig loaded = load_config(*path, context.environment());
  // The plugins are checked even if the host's own config is wrong: one run shows every fault.
  for (Fault& fault : context.engine().check(loaded.config)) loaded.faults.push_back(std::move(fault));
  check_others(context, loaded);
  if (const int code = context.finish(loaded.faults); code != exit_ok) return code;
  context.out() << "no faults in";
  for (const std::string& file : loaded.files) context.out() << (loaded.files.size() > 1 ? "\n  " : " ") << file;
  context.out() << "\n";
  return exit_ok;
}

}  // namespace backplane::host
