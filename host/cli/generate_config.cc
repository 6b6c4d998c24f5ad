#include <algorithm>
#include <filesystem>

#include "host/cli/command.h"
#include "host/config/files.h"
#include "host/config/layers.h"
#include "host/config/sample.h"

namespace backplane::host {
namespace {

struct File {
  std::string path;
  std::string text;
};

std::vector<plugin::Manifest> find_manifests(const CommandContext& context, std::vector<Fault>& faults) {
  Config config;
  config.plugin_dirs = context.values("--plugin-dir");
  if (config.plugin_dirs.empty()) config.plugin_dirs = default_plugin_dirs();
  std::vector<plugin::Manifest> out;
  Discovery found = context.engine().discover(config);
  for (auto& plugin : found.plugins) out.push_back(std::move(plugin.manifest));
  std::ranges::sort(out, {}, &plugin::Manifest::name);
  faults = std::move(found.faults);
  return out;
}

int write_all(const CommandContext& context, const std::vector<File>& files) {
  std::vector<Fault> faults;
  std::error_code error;
  for (const File& file : files)
    if (!context.has("--force") && std::filesystem::exists(file.path, error))
      faults.push_back({"there is a file at " + file.path, "", "keep it, or replace it with --force", "", 0});
  if (!faults.empty()) return context.finish(faults);
  for (const File& file : files) {
    std::filesystem::create_directories(folder_of(file.path), error);
    if (const std::string problem = write_file(file.path, file.text); !problem.empty()) {
      faults.push_back({"cannot write " + file.path, problem, "name a file that this user may write", "", 0});
      return context.finish(faults);
    }
    context.out() << "wrote " << file.path << "\n";
  }
  return exit_ok;
}

}  // namespace

int run_generate_config(CommandContext& context) {
  std::vector<Fault> faults;
  const std::string output = context.value("--output", "backplane.yaml");
  if (context.has("--markdown")) {
    const auto manifests = find_manifests(context, faults);
    if (!faults.empty()) return context.finish(faults);
    if (context.has("--output") && output != "-") return write_all(context, {{output, option_docs(manifests)}});
    context.out() << option_docs(manifests);
    return exit_ok;
  }
  if (!context.has("--server-name"))
    return context.usage("generate-config needs --server-name: the part after the colon in @user:example.org");
  const std::string text = sample_config(context.value("--server-name"), context.value("--data-dir", "data"));
  if (output == "-") {
    context.out() << text;
    return exit_ok;
  }
  const auto manifests = find_manifests(context, faults);
  if (!faults.empty()) return context.finish(faults);
  std::vector<File> files{{output, text}};
  for (const auto& manifest : manifests)
    files.push_back({folder_of(output) + "/plugins.d/" + manifest.name + ".yaml", sample_plugin_config(manifest)});
  if (const int code = write_all(context, files); code != exit_ok) return code;
  const LoadedConfig written = load_config(output, {});  // a wrong server name is told now, not at the first start
  if (!written.ok()) return context.finish(written.faults);
  context.out() << "next: `backplane check-config --config " << output << "`, then `backplane run --config " << output
                << "`\n";
  return exit_ok;
}

}  // namespace backplane::host
