#include <algorithm>
#include <array>

#include "host/cli/command.h"

namespace backplane::host {
namespace {

using Row = std::array<std::string, 5>;

void print(std::ostream& out, const std::vector<Row>& rows) {
  std::array<std::size_t, 5> widths{};
  for (const Row& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line.append(row[i]).append(i + 1 < row.size() ? widths[i] - row[i].size() + 2 : 0, ' ');
    out << line << "\n";
  }
}

}  // namespace

int run_plugins_list(CommandContext& context) {
  const auto config = context.load_or_defaults();
  if (!config) return exit_faults;
  Discovery found = context.engine().discover(*config);
  std::ranges::sort(found.plugins, {}, [](const DiscoveredPlugin& plugin) { return plugin.manifest.name; });
  std::vector<Row> rows{{"NAME", "VERSION", "STATUS", "ENABLED", "SUMMARY"}};
  for (const auto& [manifest, file] : found.plugins) {
    const bool enabled = config->enabled(manifest.name);
    rows.push_back({manifest.name, manifest.version, manifest.status, enabled ? "yes" : "no", manifest.summary});
  }
  print(context.out(), rows);
  for (const auto& [name, settings] : config->plugins)
    if (!settings.enabled)
      context.out() << name << " is disabled at "
                    << settings.enabled_source.file +
                           (settings.enabled_source.line > 0 ? ":" + std::to_string(settings.enabled_source.line) : "")
                    << "\n";
  return context.finish(found.faults);
}

}  // namespace backplane::host
