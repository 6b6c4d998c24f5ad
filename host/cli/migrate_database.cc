#include <filesystem>
#include <optional>

#include "host/cli/command.h"

namespace backplane::host {
namespace {

/// The config that the server had, without what the environment says: that is meant for the new one.
std::optional<Config> load_old(CommandContext& context, const std::string& path) {
  Environment environment = context.environment();
  std::erase_if(environment, [](const auto& variable) { return variable.first.starts_with("BACKPLANE__"); });
  LoadedConfig loaded = load_config(path, environment);
  if (context.finish(loaded.faults) != exit_ok) return std::nullopt;
  return std::move(loaded.config);
}

}  // namespace

int run_migrate_database(CommandContext& context) {
  if (context.has("--from-data") == context.has("--from"))
    return context.usage("migrate-database needs either --from-data DIR or --from PATH");
  const auto to = context.load();
  if (!to) return exit_faults;
  if (to->storage.engine != StorageEngine::postgresql) {
    return context.finish({{"the config does not lead to PostgreSQL", "its storage.engine is sqlite",
                            "name with --config the config that the server is to have", to->file, 0}});
  }
  DatabaseMove move;
  move.start_over = context.has("--start-over");
  if (context.has("--from")) {
    const auto old = load_old(context, context.value("--from"));
    if (!old) return exit_faults;
    if (old->storage.engine != StorageEngine::sqlite) {
      return context.finish({{"the old config does not lead to SQLite", "its storage.engine is postgresql",
                              "name with --from the config that the server had", old->file, 0}});
    }
    if (old->server_name != to->server_name) {
      return context.finish(
          {{"the two configs are of different servers",
            "server_name is " + old->server_name + " in the old one, and " + to->server_name + " in the new one",
            "name the configs of one server", old->file, 0}});
    }
    move.from = old->data_dir;
  } else {
    move.from = std::filesystem::absolute(context.value("--from-data")).lexically_normal().string();
  }
  return context.finish(context.engine().move_databases(*to, move, context.out()));
}

}  // namespace backplane::host
