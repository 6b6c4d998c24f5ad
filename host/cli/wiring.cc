#include "host/cli/command.h"
#include "host/config/files.h"

namespace backplane::host {

int run_wiring(CommandContext& context) {
  const std::string name = context.value("--format", "text");
  WiringFormat format = WiringFormat::text;
  if (name == "dot") format = WiringFormat::dot;
  else if (name == "markdown") format = WiringFormat::markdown;
  else if (name != "text") return context.usage("there is no format '" + name + "': use text, dot or markdown");
  const auto config = context.load_or_defaults();
  if (!config) return exit_faults;
  std::vector<Fault> faults;
  const std::string graph = context.engine().wiring(*config, format, faults);
  if (!faults.empty()) return context.finish(faults);
  if (!context.has("--output")) {
    context.out() << graph;
    return exit_ok;
  }
  const std::string path = context.value("--output");
  if (const std::string problem = write_file(path, graph); !problem.empty())
    return context.finish({{"cannot write " + path, problem, "name a file that this user may write", "", 0}});
  return exit_ok;
}

}  // namespace backplane::host
