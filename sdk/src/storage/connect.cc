#include "storage/connect.h"

#include <algorithm>
#include <string>

namespace backplane::storage {
namespace {

void pragma(SociSession& session, std::string_view name, std::string_view value) {
  session.execute_once("PRAGMA " + std::string(name) + "=" + std::string(value));
}

std::string_view word(Synchronous synchronous) {
  switch (synchronous) {
    case Synchronous::normal: return "NORMAL";
    case Synchronous::off: return "OFF";
    case Synchronous::full: break;
  }
  return "FULL";
}

void set_up_sqlite(SociSession& session, const DatabaseConfig& config, SessionUse use) {
  pragma(session, "busy_timeout", "10000");  // first of all: the next statements may meet another process
  const auto mode = session.find<std::string>("PRAGMA journal_mode=WAL");
  if (mode != "wal")
    throw Failure(unavailable("storage", "the database's file system has no write-ahead log: " + config.path));
  pragma(session, "synchronous", word(config.synchronous));
  // The writer reads what it updates, so it gets as much as all readers together.
  const auto readers = static_cast<std::int64_t>(std::max<std::size_t>(config.read_sessions, 1));
  const auto bytes = config.cache_bytes / 2 / (use == SessionUse::write ? 1 : readers);
  pragma(session, "cache_size", std::to_string(-std::max<std::int64_t>(bytes / 1024, 64)));
  pragma(session, "mmap_size", std::to_string(config.mmap_bytes));
  pragma(session, "temp_store", "MEMORY");
  pragma(session, "foreign_keys", "ON");  // as PostgreSQL has them
  if (use == SessionUse::read) {
    pragma(session, "query_only", "ON");
    return;
  }
  pragma(session, "wal_autocheckpoint", "8000");
  pragma(session, "journal_size_limit", "67108864");
  if (config.max_pages > 0) pragma(session, "max_page_count", std::to_string(config.max_pages));
}

void set_up_postgresql(SociSession& session, const DatabaseConfig& config, SessionUse use) {
  session.execute_once("SET client_min_messages TO warning");
  session.execute_once("SET client_encoding TO 'UTF8'");
  session.execute_once("SET synchronous_commit TO " +
                       std::string(config.synchronous == Synchronous::full ? "on" : "off"));
  const std::string schema = Dialect::identifier(config.schema);
  if (use == SessionUse::write) {
    // IF NOT EXISTS alone fails when two processes do it at once.
    session.execute_once("BEGIN");
    session.execute_once("SELECT pg_advisory_xact_lock(7021970)");
    session.execute_once("CREATE SCHEMA IF NOT EXISTS " + schema);
    session.execute_once("COMMIT");
  }
  session.execute_once("SET search_path TO " + schema);
}

}  // namespace

std::unique_ptr<SociSession> connect(const DatabaseConfig& config, SessionUse use) {
  const bool sqlite = config.engine == Engine::sqlite;
  if (sqlite && config.path.empty()) throw Failure(invalid("bad_path", "a SQLite database needs a path"));
  if (!sqlite && config.schema.empty()) throw Failure(invalid("bad_schema", "a PostgreSQL database needs a schema"));
  auto session = std::make_unique<SociSession>(config.engine, sqlite ? config.path : config.connection);
  if (sqlite) set_up_sqlite(*session, config, use);
  else set_up_postgresql(*session, config, use);
  return session;
}

}  // namespace backplane::storage
