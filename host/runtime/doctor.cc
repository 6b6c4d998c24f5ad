// What may not be in the databases, by the checks that plugins declare with their stores.
#include <filesystem>

#include "host/observe/log_sink.h"
#include "host/plugins/plugin_set.h"
#include "host/runtime/engine.h"

namespace backplane::host {
namespace {

/// So many findings of a check are named.
constexpr std::size_t most_examples = 5;

Fault fault_of(const DeclaredStore& store, const storage::Check& check, const std::vector<std::string>& found) {
  std::string examples;
  for (std::size_t i = 0; i < std::min(found.size(), most_examples); ++i)
    examples += (examples.empty() ? "" : ", ") + found[i];
  if (found.size() > most_examples) examples += ", …";
  return {"the database of plugin " + store.plugin + " holds " + check.what,
          std::to_string(found.size()) + ": " + examples,
          "keep a copy of the database and report this; the server goes on with it",
          {},
          0};
}

void run_checks(const DeclaredStore& store, storage::Store& database, std::ostream& out, Faults& faults) {
  std::size_t findings = 0;
  for (const storage::Check& check : store.checks) {
    const auto found = database.read([&](storage::Session& session) { return session.list<std::string>(check.query); });
    if (!found) {
      faults.push_back({"a check of plugin " + store.plugin + " did not run: " + check.what,
                        found.error().text,
                        "report this",
                        {},
                        0});
    } else if (!found->empty()) {
      ++findings;
      faults.push_back(fault_of(store, check, *found));
    }
  }
  out << store.plugin << ": " << store.checks.size() << " checks, "
      << (findings == 0 ? "nothing found" : std::to_string(findings) + " with findings") << "\n";
}

}  // namespace

std::vector<Fault> HostEngine::check_databases(const Config& config, std::ostream& out) {
  Faults faults;
  const auto [sink, server] = prepare_every_plugin(config, faults);
  if (!faults.empty()) return faults;
  if (faults = server->wire_plugins(); !faults.empty()) return faults;
  const std::atomic<LogLevel> level{config.log.level};
  for (const DeclaredStore& store : server->declared_stores()) {
    storage::DatabaseConfig database = database_of(config, store.plugin);
    if (database.engine == storage::Engine::sqlite && !std::filesystem::exists(database.path)) {
      out << store.plugin << ": there is no database yet\n";
      continue;
    }
    database.guest = true;
    const auto opened = storage::open_store(database, store.plugin, store.migrations, system_clock(), nullptr,
                                            Logger(*sink, level, "host"));
    if (!opened) {
      faults.push_back({"the database of plugin " + store.plugin + " cannot be checked", opened.error().text,
                        "check that the database is there and may be read", config.file, 0});
      continue;
    }
    run_checks(store, **opened, out, faults);
  }
  return faults;
}

}  // namespace backplane::host
