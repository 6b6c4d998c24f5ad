// `plugins enable` and `plugins disable`: they own one file, conf.d/90-plugins.yaml, so that no file that a person has
// written is ever rewritten.
#include <algorithm>
#include <filesystem>

#include "host/cli/command.h"
#include "host/config/files.h"
#include "host/config/layers.h"
#include "host/config/yaml_reader.h"

namespace backplane::host {
namespace {

/// What the file says now: plugin → enabled. A file with anything else in it is not ours, which is a fault.
std::map<std::string, bool> read_switches(const std::string& path, std::vector<Fault>& faults) {
  std::map<std::string, bool> out;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return out;
  const Setting root = read_yaml_file(path, faults);
  const auto foreign = [&](const Setting& setting) {
    faults.push_back(
        fault_at(setting.source, "this file holds more than plugins' switches",
                 "`plugins enable` and `plugins disable` write it anew, and '" + setting.key + "' would be lost",
                 "move it to another file in conf.d"));
  };
  for (const Setting& section : root.children) {
    if (section.key != "plugins") foreign(section);
    else
      for (const Setting& plugin : section.children) {
        for (const Setting& option : plugin.children)
          if (option.key != "enabled") foreign(option);
        if (const Setting* enabled = plugin.find("enabled")) out[plugin.key] = enabled->text != "false";
      }
  }
  return out;
}

std::string written(const std::map<std::string, bool>& switches) {
  std::string out =
      "# Written by `backplane plugins enable` and `backplane plugins disable`, which replace the whole file:\n"
      "# keep what you write yourself in another file.\nplugins:\n";
  for (const auto& [name, enabled] : switches)
    out.append("  ").append(name).append(":\n    enabled: ").append(enabled ? "true" : "false").append("\n");
  return out;
}

int set_enabled(CommandContext& context, bool enabled) {
  const auto config = context.load();
  if (!config) return exit_faults;
  const std::string& name = context.operands().front();
  Discovery found = context.engine().discover(*config);
  std::vector<std::string> names;
  for (const auto& plugin : found.plugins) names.push_back(plugin.manifest.name);
  if (std::ranges::find(names, name) == names.end()) {
    found.faults.push_back({"there is no plugin '" + name + "'", "",
                            suggest(name, names, "`backplane plugins list` shows those that are there"), "", 0});
    return context.finish(found.faults);
  }
  const std::string path = plugin_switch_file(config->file);
  std::vector<Fault> faults;
  std::map<std::string, bool> switches = read_switches(path, faults);
  if (!faults.empty()) return context.finish(faults);
  switches[name] = enabled;
  std::error_code error;
  std::filesystem::create_directories(folder_of(path), error);
  const std::string problem = error ? error.message() : write_file(path, written(switches));
  if (!problem.empty())
    return context.finish({{"cannot write " + path, problem, "run this as a user who may write there", "", 0}});

  const std::string word = enabled ? "enabled" : "disabled";
  const LoadedConfig after = load_config(config->file, context.environment());
  if (after.config.enabled(name) != enabled) {
    const auto settings = after.config.plugins.find(name);
    const Source where = settings != after.config.plugins.end() ? settings->second.enabled_source : Source{};
    return context.finish({fault_at(where, "plugin " + name + " is still not " + word, "this place comes after " + path,
                                    "change it there")});
  }
  context.out() << name << " is " << word << " in " << path << "\n"
                << "next: `backplane check-config`, then restart the server\n";
  return exit_ok;
}

}  // namespace

int run_plugins_enable(CommandContext& context) { return set_enabled(context, true); }

int run_plugins_disable(CommandContext& context) { return set_enabled(context, false); }

}  // namespace backplane::host
