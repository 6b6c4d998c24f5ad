#include "storage/migrate.h"

#include <string>

#include "storage/claim.h"

namespace backplane::storage {
namespace {

Result<void> check_numbers(std::span<const Migration> migrations) {
  for (std::size_t i = 0; i < migrations.size(); ++i) {
    const int wanted = static_cast<int>(i) + 1;
    if (migrations[i].number == wanted) continue;
    return invalid("migration_numbers", "migration " + std::to_string(migrations[i].number) + " (" +
                                            std::string(migrations[i].name) + ") stands where number " +
                                            std::to_string(wanted) +
                                            " is due: they are numbered 1, 2, 3, … without a gap or a repetition");
  }
  return {};
}

std::int64_t version_of(SociSession& session) {
  return session.find<std::int64_t>("SELECT COALESCE(MAX(number), 0) FROM bp_migrations").value_or(0);
}

Result<void> check_not_newer(std::int64_t version, std::span<const Migration> migrations) {
  if (version <= static_cast<std::int64_t>(migrations.size())) return {};
  return conflict("database_newer", "the database is at version " + std::to_string(version) +
                                        ", this program knows versions up to " + std::to_string(migrations.size()) +
                                        ": run the newer program, or restore a backup");
}

}  // namespace

Result<void> migrate(SociSession& session, std::span<const Migration> migrations, Clock& clock, const Logger& logger) {
  BACKPLANE_CHECK(check_numbers(migrations));
  std::int64_t version = 0;
  in_sole_transaction(session, [&] {
    session.execute_once(
        "CREATE TABLE IF NOT EXISTS bp_migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_ms BIGINT "
        "NOT NULL)");
    version = version_of(session);
  });
  BACKPLANE_CHECK(check_not_newer(version, migrations));
  for (const Migration& migration : migrations.subspan(static_cast<std::size_t>(version))) {
    try {
      in_sole_transaction(session, [&] {
        if (version_of(session) >= migration.number) return;  // another process was quicker
        for (const std::string_view statement : Dialect::split(migration.sql)) session.execute_once(statement);
        if (migration.convert != nullptr) migration.convert(session);
        session.execute("INSERT INTO bp_migrations (number, name, applied_ms) VALUES (?, ?, ?)",
                        {migration.number, migration.name, clock.wall_ms()});
      });
    } catch (const Failure& failure) {
      Error error = failure.error();
      error.reason = error.reason == "disk_full" ? error.reason : "migration_failed";
      error.text = "migration " + std::to_string(migration.number) + " (" + std::string(migration.name) +
                   ") failed, the database stays at version " + std::to_string(migration.number - 1) + ": " +
                   error.text;
      return error;
    }
    logger.info("migrated database", {{"number", migration.number}, {"migration", migration.name}});
  }
  // Asked again: another process may have gone further while this one waited.
  return check_not_newer(version_of(session), migrations);
}

}  // namespace backplane::storage
