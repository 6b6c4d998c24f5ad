// A connection to a database, with its prepared statements. The only place that knows SOCI (with soci_statement);
// its header is free of it because SOCI is slow to compile.
//
// One thread at a time. Failures of the database are thrown as storage::Failure, wrong use as std::logic_error.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "backplane/storage/dialect.h"
#include "backplane/storage/session.h"

namespace backplane::storage {

class SociSession final : public Session {
 public:
  enum class Access : std::uint8_t { write, read_only };
  /// `where`: a file (SQLite) or a libpq connection string. PostgreSQL's driver is loaded when it is first asked for.
  /// `access` is for SQLite: a file that is read only has to be there, and stays as it is.
  SociSession(Engine engine, const std::string& where, Access access = Access::write);
  ~SociSession() override;

  const Dialect& dialect() const { return dialect_; }
  /// Runs a statement that is not worth keeping.
  void execute_once(std::string_view sql);
  /// False once the connection is lost: open another session.
  bool usable();
  /// Whether a transaction is open. SQLite ends one by itself on a full disk. (PostgreSQL: always true, it never does.)
  bool in_transaction();

  std::int64_t run(std::string_view sql, std::span<const Parameter> parameters, std::span<const ColumnType> columns,
                   RowFunction on_row, void* argument) override;

 private:
  struct Connection;
  Dialect dialect_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace backplane::storage
