// Moves plugins' databases from SQLite files to PostgreSQL schemas, while no server uses either. For the command
// `backplane migrate-database`; it knows no plugin, only their migrations.
//
// A move may be ended at any moment and done again: it goes on where it was. Until it has ended, the schemas are
// marked, and open_store refuses them with conflict/move_unfinished. The files are only read. The caller's thread reads
// them and compares, while another one waits for PostgreSQL.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/clock.h"
#include "backplane/base/export.h"
#include "backplane/base/logger.h"
#include "backplane/base/result.h"
#include "backplane/storage/database.h"

namespace backplane::storage {

struct MovedStore {
  std::string name;                   ///< the plugin's
  std::vector<Migration> migrations;  ///< those that this program knows
  std::string path;                   ///< the SQLite file
  DatabaseConfig target;              ///< the PostgreSQL schema; all stores have the same connection
};

struct MoveOptions {
  /// Drops what a move that did not end has left behind, and begins anew.
  bool start_over = false;
  /// How much goes in one transaction, at most.
  std::size_t batch_rows = 2000;
  std::size_t batch_bytes = 2 * 1024 * 1024;
  /// How long a schema may be in use by another process, which may be about to end.
  Duration lock_wait = std::chrono::seconds(10);
};

/// Is told how far a move is. Rows that an earlier, unfinished move has copied are counted.
class BACKPLANE_API MoveObserver {
 public:
  virtual ~MoveObserver();
  enum class Step : std::uint8_t { copy, compare };
  /// After every batch.
  virtual void progress(Step step, std::string_view store, std::string_view table, std::int64_t rows,
                        std::int64_t all_rows) = 0;
  virtual void finished(Step step, std::string_view store, std::string_view table, std::int64_t rows) = 0;
};

struct MoveSummary {
  struct Store {
    std::string name;
    std::int64_t tables = 0;
    std::int64_t rows = 0;
  };
  std::vector<Store> stores;
};

/// Copies every table, the SDK's too, reads both sides back and compares them row by row, and then opens the schemas to
/// servers, all in one moment. Nothing is written before everything has been looked at. Errors, with a text that names
/// store and table:
///   unavailable/storage         one of the databases cannot be reached, or has failed
///   unavailable/store_in_use    another process has the schema: a server, or another move
///   conflict/target_not_empty   a schema holds data that is of no unfinished move
///   conflict/source_changed     an unfinished move was of other files, or they have changed since
///   conflict/database_newer     a newer version of the program has written the file
///   conflict/rows_differ        the comparison has found a difference
///   invalid/cannot_move         a table or value that PostgreSQL cannot have in this form
BACKPLANE_API Result<MoveSummary> move_stores(std::span<const MovedStore> stores, const MoveOptions& options,
                                              Clock& clock, const Logger& logger, MoveObserver& observer);

}  // namespace backplane::storage
