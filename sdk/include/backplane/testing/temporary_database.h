// A database for a test: SQLite in a folder of its own, or a schema of its own at a PostgreSQL server; gone with the
// object. Stores that were opened from it must be destroyed before it.
//
//   TemporaryDatabase database;
//   auto store = database.open(migrations);
//
// One thread.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "backplane/base/export.h"
#include "backplane/base/logger.h"
#include "backplane/base/result.h"
#include "backplane/storage/database.h"

namespace backplane::testing {

class PostgresqlServer;

/// A folder in the system's place for temporary files, removed with all that is in it.
class BACKPLANE_API TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A logger that writes nowhere.
BACKPLANE_API Logger quiet_logger();

class BACKPLANE_API TemporaryDatabase {
 public:
  TemporaryDatabase();
  explicit TemporaryDatabase(const PostgresqlServer& server);

  /// Opens it (again). Throws std::runtime_error with the error's text.
  std::unique_ptr<storage::Store> open(std::span<const storage::Migration> migrations,
                                       storage::CommitHook* hook = nullptr, Metrics* metrics = nullptr);
  Result<std::unique_ptr<storage::Store>> try_open(std::span<const storage::Migration> migrations,
                                                   storage::CommitHook* hook = nullptr, Metrics* metrics = nullptr);

  /// May be changed before the next open. Commits do not wait for the disk (Synchronous::off).
  storage::DatabaseConfig config;

 private:
  TemporaryFolder folder_;
};

}  // namespace backplane::testing
