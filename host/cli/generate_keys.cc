#include <array>
#include <filesystem>
#include <span>

#include "backplane/base/encoding.h"
#include "backplane/base/random.h"
#include "host/cli/command.h"
#include "host/config/files.h"
#include "host/config/plugin_options.h"

namespace backplane::host {
namespace {

/// Where config has a plugin look for the key.
std::string configured_path(CommandContext& context, const Config& config) {
  constexpr std::string_view option = "signing_key_path";
  for (const DiscoveredPlugin& found : context.engine().discover(config).plugins) {
    if (found.manifest.find_option(option) == nullptr || !config.enabled(found.manifest.name)) continue;
    const BuiltOptions built = build_options(found.manifest, config);
    if (const auto value = built.options.values().find(option); value != built.options.values().end())
      return built.options.text(option);
  }
  return config.data_dir + "/signing.key";
}

}  // namespace

int run_generate_keys(CommandContext& context) {
  std::string path = context.value("--output");
  if (path.empty()) {
    const auto config = context.load();
    if (!config) return exit_faults;
    path = configured_path(context, *config);
  }
  std::error_code error;
  if (std::filesystem::exists(path, error) && !context.has("--force"))
    return context.finish(
        {{"there is a key at " + path, "with another key, other servers would no longer know this one",
          "keep it, or replace it with --force", "", 0}});
  // The folder holds secrets from now on: nobody else may look into it.
  const std::string folder = folder_of(path);
  if (!std::filesystem::exists(folder, error) && std::filesystem::create_directories(folder, error))
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  std::array<std::byte, 32> seed;
  system_random().fill(seed);
  const std::string key_id = "a_" + system_random().text(4);
  const std::string line =
      "ed25519 " + key_id + " " + base64({reinterpret_cast<const char*>(seed.data()), seed.size()}) + "\n";
  if (const std::string problem = write_file(path, line, 0600); !problem.empty())
    return context.finish({{"cannot write " + path, problem, "run this as the user that the server runs as", "", 0}});
  context.out() << "wrote key ed25519:" << key_id << " to " << path << "\n";
  return exit_ok;
}

}  // namespace backplane::host
