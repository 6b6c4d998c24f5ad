#include "host/cli/command.h"

namespace backplane::host {

int run_check_config(CommandContext& context) {
  const auto path = context.config_path();
  if (!path) return context.load() ? exit_ok : exit_faults;  // says what is missing
  LoadedConfig loaded = load_config(*path, context.environment());
  // The plugins are checked even if the host's own config is wrong: one run shows every fault.
  for (Fault& fault : context.engine().check(loaded.config)) loaded.faults.push_back(std::move(fault));
  if (const int code = context.finish(loaded.faults); code != exit_ok) return code;
  context.out() << "no faults in";
  for (const std::string& file : loaded.files) context.out() << (loaded.files.size() > 1 ? "\n  " : " ") << file;
  context.out() << "\n";
  return exit_ok;
}

}  // namespace backplane::host
