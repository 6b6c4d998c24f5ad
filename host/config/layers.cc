#include "host/config/layers.h"

#include <algorithm>
#include <filesystem>

#include "host/config/files.h"
#include "host/config/yaml_reader.h"

namespace backplane::host {
namespace {

// The only defaults that are no options' own: a list is replaced as a whole by what sets it.
constexpr std::string_view default_layer = "listeners: [{bind: 127.0.0.1, port: 8008, serves: [client, media]}]";

/// The folder's *.yaml files in the order of their names; none when there is no folder.
std::vector<std::string> yaml_files(const std::string& folder, std::vector<Fault>& faults) {
  std::vector<std::string> out;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with('.')) continue;
    if (it->path().extension() == ".yaml") out.push_back(it->path().string());
    else if (it->path().extension() == ".yml")
      faults.push_back({"config file " + it->path().string() + " would not be read", "only *.yaml files are",
                        "rename it to " + it->path().stem().string() + ".yaml", "", 0});
  }
  if (error && error != std::errc::no_such_file_or_directory)
    faults.push_back({"cannot read the folder " + folder, error.message(), "check that this user may read it", "", 0});
  std::ranges::sort(out);
  return out;
}

Setting read_main_file(const std::string& path, std::vector<Fault>& faults) {
  Setting root = read_yaml_file(path, faults);
  std::error_code ignored;
  if (!faults.empty() && !std::filesystem::exists(path, ignored))
    faults.back().fix = "name it with --config, or make one with `backplane generate-config --server-name NAME`";
  return root;
}

bool disabled(const Setting& plugin) {
  const Setting* enabled = plugin.find("enabled");
  return enabled != nullptr && enabled->text == "false";
}

void expand_all(Setting& root, const Environment& environment, const std::string& folder, std::vector<Fault>& faults) {
  for (Setting& section : root.children) {
    if (section.key != "plugins" || !section.is_map()) {
      expand(section, section.key, environment, folder, faults);
      continue;
    }
    for (Setting& plugin : section.children)
      if (!disabled(plugin)) expand(plugin, section.key + "." + plugin.key, environment, folder, faults);
  }
}

}  // namespace

Layers read_layers(const std::string& path, const Environment& environment, std::vector<Fault>& faults) {
  Layers out;
  const std::string folder = folder_of(path);
  out.root = read_yaml(default_layer, "the defaults", faults);
  overlay(out.root, read_main_file(path, faults));
  out.main_file_was_read = faults.empty();
  out.root.source = {path, 0};
  out.files.push_back(path);
  for (const std::string& file : yaml_files(folder + "/plugins.d", faults)) {
    Setting options = read_yaml_file(file, faults);
    options.key = std::filesystem::path(file).stem().string();
    const Source where = options.source;
    Setting layer;
    Setting& plugins = layer.member("plugins", where);
    plugins.kind = Setting::Kind::map;
    plugins.children.push_back(std::move(options));
    overlay(out.root, std::move(layer));
    out.files.push_back(file);
  }
  for (const std::string& file : yaml_files(folder + "/conf.d", faults)) {
    overlay(out.root, read_yaml_file(file, faults));
    out.files.push_back(file);
  }
  overlay_environment(out.root, environment, faults);
  expand_all(out.root, environment, folder, faults);
  return out;
}

std::string plugin_switch_file(const std::string& config_path) {
  return folder_of(config_path) + "/conf.d/90-plugins.yaml";
}

}  // namespace backplane::host
