#include "host/runtime/move_databases.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <set>

#include "backplane/storage/move.h"
#include "host/config/plugin_options.h"
#include "host/observe/log_sink.h"
#include "host/plugins/plugin_set.h"
#include "host/runtime/engine.h"
#include "host/runtime/folder_claim.h"

namespace backplane::host {
namespace {

namespace fs = std::filesystem;

/// The data folders of both servers, as long as this lives.
class Claims {
 public:
  Fault take(const std::string& folder) {
    auto claim = FolderClaim::take(folder);
    if (!claim) return {"the data folder cannot be used", claim.error().text, "stop the server", folder, 0};
    claims_.push_back(std::move(*claim));
    return {};
  }

 private:
  std::vector<FolderClaim> claims_;
};

Faults take_folders(const Config& to, const DatabaseMove& move, Claims& claims) {
  Faults faults;
  std::error_code ignored;
  if (!fs::is_directory(move.from, ignored)) {
    return {{"there is no data folder", {}, "name the folder that holds the SQLite files", move.from, 0}};
  }
  if (Fault fault = claims.take(move.from); !fault.what.empty()) faults.push_back(std::move(fault));
  if (fs::is_directory(to.data_dir, ignored) && !fs::equivalent(move.from, to.data_dir, ignored)) {
    if (Fault fault = claims.take(to.data_dir); !fault.what.empty()) faults.push_back(std::move(fault));
  }
  return faults;
}

/// The plugins with a database in that folder.
std::set<std::string> find_databases(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().extension() == ".db") names.insert(entry.path().stem().string());
  }
  return names;
}

/// Says how far it is: each table that has rows at its end, and a long one every few seconds.
class Teller final : public storage::MoveObserver {
 public:
  Teller(std::ostream& out, Clock& clock) : out_(out), clock_(clock), told_(clock.now()) {}

  void progress(Step step, std::string_view store, std::string_view table, std::int64_t rows,
                std::int64_t all_rows) override {
    constexpr Duration pause = std::chrono::seconds(5);
    if (clock_.now() < told_ + pause) return;
    told_ = clock_.now();
    out_ << (step == Step::copy ? "copying " : "comparing ") << store << "." << table << ": " << rows << " of "
         << all_rows << " rows" << std::endl;  // seen at once, also through a pipe
  }
  void finished(Step step, std::string_view store, std::string_view table, std::int64_t rows) override {
    if (rows == 0) return;
    told_ = clock_.now();
    out_ << (step == Step::copy ? "copied " : "compared ") << store << "." << table << ": " << rows << " rows"
         << std::endl;
  }

 private:
  std::ostream& out_;
  Clock& clock_;
  Instant told_;
};

std::string what_to_do(const Error& error) {
  if (error.reason == "storage")
    return "check that both databases can be reached, and run this again: it goes on where it was";
  if (error.reason == "disk_full") return "make room, and run this again: it goes on where it was";
  if (error.reason == "store_in_use") return "stop the server, or wait for the other move, and run this again";
  if (error.reason == "target_not_empty")
    return "start the server, if a move into it has ended; else name an empty PostgreSQL database, or drop the schema "
           "(DROP SCHEMA … CASCADE) if nobody needs what it holds";
  if (error.reason == "source_changed") return "run this with --start-over: it drops what was copied, and begins anew";
  if (error.reason == "database_newer") return "run the version of Backplane that wrote it";
  if (error.reason == "rows_differ")
    return "let nothing write to either database, and run this with --start-over; the SQLite files are as they were";
  return "correct what is said above, and run this again";
}

std::vector<storage::MovedStore> stores_to_move(const Config& to, const DatabaseMove& move,
                                                std::vector<DeclaredStore> declared, Faults& faults) {
  std::set<std::string> files = find_databases(move.from);
  if (files.empty())
    faults.push_back({"there are no SQLite files to move", {}, "name the folder that holds them", move.from, 0});
  std::vector<storage::MovedStore> stores;
  for (DeclaredStore& store : declared) {
    if (files.erase(store.plugin) == 0) continue;  // it has never run: there it begins with an empty database
    storage::MovedStore moved;
    moved.path = (fs::path(move.from) / (store.plugin + ".db")).string();
    moved.migrations = std::move(store.migrations);
    moved.target = database_of(to, store.plugin);
    moved.name = std::move(store.plugin);
    stores.push_back(std::move(moved));
  }
  for (const std::string& name : files) {
    faults.push_back({"there is a database of plugin " + name + ", which does not run with the new config",
                      "what is not moved now cannot be moved later", "enable the plugin, or put the file elsewhere",
                      (fs::path(move.from) / (name + ".db")).string(), 0});
  }
  return stores;
}

/// What is in the old folder and not in the databases, such as the signing key.
void tell_what_is_left(const Config& to, const DatabaseMove& move, std::ostream& out) {
  std::error_code ignored;
  out << "The SQLite files in " << move.from << " are as they were.\n";
  if (fs::equivalent(move.from, to.data_dir, ignored)) return;
  std::set<std::string> others;
  for (const auto& entry : fs::directory_iterator(move.from)) {
    const std::string name = entry.path().filename().string();
    if (name.find(".db") == std::string::npos) others.insert(name);
  }
  if (others.empty()) return;
  out << "Before the server starts, copy to " << to.data_dir << " what else is there:\n";
  for (const std::string& name : others) out << "  " << name << "\n";
}

}  // namespace

Fault fault_of_move(const Error& error, const std::string& from) {
  return {"the databases were not moved", error.text, what_to_do(error), from, 0};
}

// Which stores there are is known from the plugins, which are wired and not started.
std::vector<Fault> HostEngine::move_databases(const Config& to, const DatabaseMove& move, std::ostream& out) {
  Claims claims;
  Faults faults = take_folders(to, move, claims);
  const auto [sink, server] = prepare_every_plugin(to, faults);
  if (!faults.empty()) return faults;
  if (faults = server->wire_plugins(); !faults.empty()) return faults;
  const auto stores = stores_to_move(to, move, server->declared_stores(), faults);
  if (!faults.empty()) return faults;

  const Instant begun = system_clock().now();
  const std::atomic<LogLevel> level{to.log.level};
  Teller teller(out, system_clock());
  storage::MoveOptions options;
  options.start_over = move.start_over;
  const auto moved = storage::move_stores(stores, options, system_clock(), Logger(*sink, level, "host"), teller);
  if (!moved) return {fault_of_move(moved.error(), move.from)};

  std::int64_t rows = 0;
  for (const auto& store : moved->stores) rows += store.rows;
  out << "Moved " << moved->stores.size() << " databases with " << rows << " rows in "
      << std::chrono::duration_cast<std::chrono::seconds>(system_clock().now() - begun).count()
      << " s; every row was read back and compared.\n";
  tell_what_is_left(to, move, out);
  return {};
}

}  // namespace backplane::host
