#include "storage/connect.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "backplane/base/encoding.h"

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
  const std::int64_t share = 2 * (use == SessionUse::write ? 1 : readers);
  const auto bytes = config.cache_bytes / share;
  pragma(session, "cache_size", std::to_string(-std::max<std::int64_t>(bytes / 1024, 64)));
  pragma(session, "mmap_size", std::to_string(config.mmap_bytes / share));
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

/// What libpq is told unless the operator says otherwise: a server that does not answer is given up. (5 s to connect;
/// 10 + 3 * 5 s of silence.)
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> libpq_defaults{{{"connect_timeout", "5"},
                                                                                       {"keepalives_idle", "10"},
                                                                                       {"keepalives_interval", "5"},
                                                                                       {"keepalives_count", "3"},
                                                                                       {"tcp_user_timeout", "25000"}}};

/// A connection string in either of libpq's forms, with the defaults added.
std::string with_defaults(std::string connection) {
  const bool uri = connection.starts_with("postgresql://") || connection.starts_with("postgres://");
  for (const auto& [name, value] : libpq_defaults) {
    if (connection.find(name) != std::string::npos) continue;
    if (uri) connection += connection.find('?') == std::string::npos ? '?' : '&';
    else connection += ' ';
    connection.append(name).append("=").append(value);
  }
  return connection;
}

/// In quotes, as SQL has texts.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out.append(c == '\'' ? 2 : 1, c);
  return out += '\'';
}

void set_up_postgresql(SociSession& session, const DatabaseConfig& config, std::string_view name, SessionUse use) {
  const std::string application = "backplane " + config.host + (config.host.empty() ? "" : " ") + std::string(name);
  session.execute_once("SET application_name TO " + quoted(application));
  // The server's side of the same: the locks of a host that vanished are free after that time.
  for (const auto& [setting, value] : libpq_defaults) {
    if (setting == "connect_timeout") continue;
    const std::string prefix = setting.starts_with("keepalives") ? "tcp_" : "";
    session.execute_once("SET " + prefix + std::string(setting) + " TO " + std::string(value));
  }
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

/// Of a server that could not be reached.
class BackOff {
 public:
  /// Throws the last failure while it is too early to try again.
  void check(Instant now) const {
    const std::lock_guard lock(mutex_);
    if (failure_ && now < until_) throw Failure(*failure_);
  }
  void failed(Instant now, const Error& error) {
    constexpr Duration first = std::chrono::milliseconds(100), longest = std::chrono::seconds(2);
    const std::lock_guard lock(mutex_);
    pause_ = failure_ ? std::min<Duration>(pause_ * 2, longest) : first;
    failure_ = error;
    // Half of it to all of it, so that not all hosts come back in the same moment.
    const auto chance = stable_hash(std::to_string(now.time_since_epoch().count())) % 1024;
    until_ = now + pause_ / 2 + pause_ / 2048 * static_cast<std::int64_t>(chance);
  }
  void succeeded() {
    const std::lock_guard lock(mutex_);
    failure_.reset();
  }

 private:
  mutable std::mutex mutex_;
  std::optional<Error> failure_;
  Duration pause_{};
  Instant until_{};
};

}  // namespace

std::unique_ptr<SociSession> connect(const DatabaseConfig& config, SessionUse use, std::string_view name) {
  const bool sqlite = config.engine == Engine::sqlite;
  if (sqlite && config.path.empty()) throw Failure(invalid("bad_path", "a SQLite database needs a path"));
  if (!sqlite && config.schema.empty()) throw Failure(invalid("bad_schema", "a PostgreSQL database needs a schema"));
  auto session = std::make_unique<SociSession>(config.engine, sqlite ? config.path : with_defaults(config.connection));
  if (sqlite) set_up_sqlite(*session, config, use);
  else set_up_postgresql(*session, config, name, use);
  return session;
}

Connect connector(const DatabaseConfig& config, std::string_view name, Clock& clock) {
  if (config.engine == Engine::sqlite) return [config](SessionUse use) { return connect(config, use); };
  return [config, name = std::string(name), &clock, back_off = std::make_shared<BackOff>()](SessionUse use) {
    back_off->check(clock.now());
    try {
      auto session = connect(config, use, name);
      back_off->succeeded();
      return session;
    } catch (const Failure& failure) {
      back_off->failed(clock.now(), failure.error());
      throw;
    }
  };
}

void wait_for(Clock& clock, Duration time) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  clock.wait_until(never, lock, clock.now() + time, [] { return false; });
}

}  // namespace backplane::storage
