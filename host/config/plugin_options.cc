#include "host/config/plugin_options.h"

#include <algorithm>
#include <iterator>

#include "host/config/option_reader.h"

namespace backplane::host {

BuiltOptions build_options(const plugin::Manifest& manifest, const Config& config) {
  BuiltOptions out;
  Setting nothing;
  nothing.kind = Setting::Kind::map;
  nothing.source = {config.file, 0};
  const auto found = config.plugins.find(manifest.name);
  const Setting& settings = found != config.plugins.end() ? found->second.options : nothing;
  const ReadRules rules{" for plugin " + manifest.name, "", config.folder, config.data_dir,
                        "plugins.d/" + manifest.name + ".yaml"};
  out.options = plugin::Options(read_options(settings, manifest.options, rules, out.faults));
  return out;
}

plugin::Options build_options(const plugin::Manifest& manifest, const Config& config, std::vector<Fault>& faults) {
  BuiltOptions built = build_options(manifest, config);
  std::ranges::move(built.faults, std::back_inserter(faults));
  return std::move(built.options);
}

std::vector<Fault> check_plugin_names(const Config& config, std::span<const plugin::Manifest> manifests) {
  std::vector<std::string> names;
  for (const auto& manifest : manifests) names.push_back(manifest.name);
  std::vector<Fault> faults;
  const auto check = [&](const std::string& name, const Source& where) {
    if (std::ranges::find(names, name) != names.end()) return;
    std::string folders;
    for (const auto& folder : config.plugin_dirs) folders.append(folders.empty() ? "" : ", ").append(folder);
    faults.push_back(fault_at(where, "there is no plugin '" + name + "'", "plugins were looked for in " + folders,
                              suggest(name, names, "install it, or remove what config says about it")));
  };
  for (const auto& [name, settings] : config.plugins) check(name, settings.options.source);
  for (const auto& [name, host] : config.hosts)
    for (const std::string& plugin : host.plugins) check(plugin, host.source);
  check("log_" + config.log.transport, {config.file, 0});
  return faults;
}

}  // namespace backplane::host
