// Opens a plugin's database: makes it, brings it to the version of the plugin's migrations, and answers its Store.
// For the host, and for tests (see testing/temporary_database.h). Any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "backplane/base/clock.h"
#include "backplane/base/export.h"
#include "backplane/base/logger.h"
#include "backplane/base/metrics.h"
#include "backplane/base/result.h"
#include "backplane/storage/commit_hook.h"
#include "backplane/storage/dialect.h"
#include "backplane/storage/store.h"

namespace backplane::storage {

/// What a commit waits for.
enum class Synchronous : std::uint8_t {
  full,    ///< the disk: what was acknowledged survives a loss of power
  normal,  ///< the system: survives the end of the process; a loss of power may take the last commits
  off,     ///< for tests
};

/// How long hosts that share a store wait for each other, and for the database.
struct SharingTimes {
  Duration heartbeat = std::chrono::seconds(1);    ///< how often a host says that it lives, and looks for the others
  Duration takeover = std::chrono::seconds(10);    ///< a host that has said nothing for so long loses what it owns
  Duration claim_wait = std::chrono::seconds(15);  ///< open_store waits so long for one that has the store, or the name
  Duration connect_wait{};                         ///< open_store waits so long for a database that is away
};

struct DatabaseConfig {
  Engine engine = Engine::sqlite;
  std::string path;                      ///< SQLite: the file, made when it is not there (its folder is)
  std::string connection;                ///< PostgreSQL: as libpq takes it (`host=… dbname=… user=…`)
  std::string schema;                    ///< PostgreSQL: made when it is not there; the plugin's own
  Sharing sharing = Sharing::exclusive;  ///< PostgreSQL, between processes that have a `host` name
  std::string host;                      ///< of this process; empty: all is its own, no other may have the store open
  SharingTimes times;
  /// PostgreSQL: beside whoever has the store, as a tool: takes no lock, owns nothing, and must be given no hook.
  bool guest = false;
  Synchronous synchronous = Synchronous::full;
  std::size_t read_sessions = 2;
  std::size_t max_batch = 512;                  ///< pieces in one transaction
  std::int64_t cache_bytes = 4 * 1024 * 1024;   ///< SQLite: page cache, over all sessions of the store
  std::int64_t mmap_bytes = 256 * 1024 * 1024;  ///< SQLite: likewise, of the file; shared with the system's cache
  std::int64_t max_pages = 0;  ///< SQLite: the file grows no larger (0: as it likes); for tests of a full disk
};

/// Opens the database called `name` (for metrics and logs). Errors: unavailable/storage when it cannot be opened;
/// unavailable/store_in_use when another process has it (PostgreSQL);
/// invalid/migration_numbers when `migrations` are not 1, 2, 3, …; conflict/database_newer when a newer version has
/// written it; migration_failed (with the code of the cause) when one fails, which leaves the version before it.
/// `clock`, `metrics` and `hook` outlive the store; the last two may be nullptr.
BACKPLANE_API Result<std::unique_ptr<Store>> open_store(const DatabaseConfig& config, std::string_view name,
                                                        std::span<const Migration> migrations, Clock& clock,
                                                        Metrics* metrics, Logger logger, CommitHook* hook = nullptr);

}  // namespace backplane::storage
