#include "storage/soci_session.h"

#include <cerrno>
#include <functional>
#include <unordered_map>
#include <utility>

#include "storage/soci_statement.h"
// After SOCI's headers: it includes sqlite3.h inside a namespace.
#include <soci/sqlite3/soci-sqlite3.h>

namespace backplane::storage {
namespace {

/// Statements kept by a session; more are only met where SQL is put together at run time.
constexpr std::size_t kept_statements = 256;

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
using Statements = std::unordered_map<std::string, std::unique_ptr<SociStatement>, TextHash, std::equal_to<>>;

Error disk_full(std::string text) { return unavailable("disk_full", std::move(text)); }

/// SOCI reads `key=value` pairs from any name that holds a `=`.
std::string sqlite_connection(const std::string& path, SociSession::Access access) {
  if (path.find('"') != std::string::npos)
    throw Failure(invalid("bad_path", "a database's path must not hold a quote: " + path));
  if (access == SociSession::Access::read_only) return "dbname=\"" + path + "\" readonly=true";
  return path.find('=') == std::string::npos ? path : "dbname=\"" + path + "\"";
}

}  // namespace

struct SociSession::Connection {
  soci::session soci;
  Statements statements;
  std::uint64_t uses = 0;

  /// The C API's connection. The sanitizer would ask for the type's description, which SOCI does not export.
  __attribute__((no_sanitize("vptr"))) sqlite_api::sqlite3* sqlite() {
    return static_cast<soci::sqlite3_session_backend*>(soci.get_backend())->conn_;
  }

  SociStatement& statement(const Dialect& dialect, std::string_view sql) {
    auto found = statements.find(sql);
    if (found == statements.end()) {
      if (statements.size() >= kept_statements) forget_oldest();
      found = statements.emplace(std::string(sql), std::make_unique<SociStatement>(soci, dialect, sql, false)).first;
    }
    found->second->last_used = ++uses;
    return *found->second;
  }
  void forget_oldest() {
    auto oldest = statements.end();
    for (auto it = statements.begin(); it != statements.end(); ++it) {
      if (it->second->running()) continue;
      if (oldest == statements.end() || it->second->last_used < oldest->second->last_used) oldest = it;
    }
    if (oldest != statements.end()) statements.erase(oldest);
  }

  Error translate(const soci::soci_error& error, Engine engine) {
    const std::string text = error.get_error_message();
    if (const auto* sqlite_error = dynamic_cast<const soci::sqlite3_soci_error*>(&error)) {
      switch (sqlite_error->result() & 0xff) {
        case SQLITE_FULL: return disk_full(text);
        case SQLITE_CONSTRAINT: return conflict("constraint", text);
        case SQLITE_IOERR:
          if (const int cause = soci.get_backend() != nullptr ? sqlite_api::sqlite3_system_errno(sqlite()) : 0;
              cause == ENOSPC || cause == EDQUOT) {
            return disk_full(text);
          }
          return unavailable("storage", text);
        case SQLITE_ERROR:  // wrong SQL, or a table that is not there
        case SQLITE_MISUSE:
        case SQLITE_RANGE: return internal_error(text);
        default: return unavailable("storage", text);
      }
    }
    switch (error.get_error_category()) {
      case soci::soci_error::constraint_violation: return conflict("constraint", text);
      case soci::soci_error::invalid_statement: return internal_error(text);
      default:
        if (engine == Engine::postgresql && text.find("No space left on device") != std::string::npos)
          return disk_full(text);
        return unavailable("storage", text);
    }
  }
};

SociSession::SociSession(Engine engine, const std::string& where, Access access)
    : dialect_(engine), connection_(std::make_unique<Connection>()) {
  try {
    if (engine == Engine::sqlite) connection_->soci.open(soci::sqlite3, sqlite_connection(where, access));
    else connection_->soci.open("postgresql", where);
  } catch (const soci::soci_error& error) {
    throw Failure(unavailable("storage", "cannot open the database: " + error.get_error_message()));
  }
}

SociSession::~SociSession() { connection_->statements.clear(); }

void SociSession::execute_once(std::string_view sql) {
  try {
    SociStatement(connection_->soci, dialect_, sql, true).run({}, {}, nullptr, nullptr);
  } catch (const soci::soci_error& error) {
    throw Failure(connection_->translate(error, dialect_.engine()));
  }
}

std::int64_t SociSession::run(std::string_view sql, std::span<const Parameter> parameters,
                              std::span<const ColumnType> columns, RowFunction on_row, void* argument) {
  try {
    return connection_->statement(dialect_, sql).run(parameters, columns, on_row, argument);
  } catch (const soci::soci_error& error) {
    throw Failure(connection_->translate(error, dialect_.engine()));
  }
}

bool SociSession::usable() { return dialect_.engine() == Engine::sqlite || connection_->soci.is_connected(); }

bool SociSession::in_transaction() {
  return dialect_.engine() != Engine::sqlite || sqlite_api::sqlite3_get_autocommit(connection_->sqlite()) == 0;
}

}  // namespace backplane::storage
