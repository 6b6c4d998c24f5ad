#include "host/cli/command.h"

namespace backplane::host {

int run_restore(CommandContext& context) {
  const auto config = context.load();
  if (!config) return exit_faults;
  return context.finish(context.engine().restore(*config, context.out()));
}

}  // namespace backplane::host
