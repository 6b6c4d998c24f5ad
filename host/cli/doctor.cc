#include "host/cli/command.h"

namespace backplane::host {

int run_doctor(CommandContext& context) {
  const auto config = context.load();
  if (!config) return exit_faults;
  return context.finish(context.engine().check_databases(*config, context.out()));
}

}  // namespace backplane::host
