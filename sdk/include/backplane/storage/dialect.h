// What differs between SQLite and PostgreSQL, in one small object, so that every other line of SQL is written once.
//
// For the storage layer and its tests; plugins meet it only as tokens in their SQL:
//
//   {row_number}     the type of a column of 64-bit numbers that is the table's primary key: SQLite keeps the rows in
//                    its order, large ones too
//   {without_rowid}  at the end of a table whose primary key is no integer; nothing on PostgreSQL
//   {bytes}          the type of a column for storage::Bytes (base64 text in both: SOCI 4.0.3 cuts bytea at a NUL)
//
// What both understand, and plugins keep to: BIGINT (also for booleans), TEXT, DOUBLE PRECISION; PRIMARY KEY, UNIQUE,
// REFERENCES, partial indexes; INSERT … ON CONFLICT (…) DO NOTHING | DO UPDATE SET x = excluded.x; RETURNING; CTEs;
// row values; SUM of BIGINT cast back with CAST(… AS BIGINT). No AUTOINCREMENT, INSERT OR IGNORE, :name, ::type.
// Values: any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/export.h"

namespace backplane::storage {

enum class Engine : std::uint8_t { sqlite, postgresql };
BACKPLANE_API std::string_view to_string(Engine engine);

class BACKPLANE_API Dialect {
 public:
  explicit Dialect(Engine engine) : engine_(engine) {}
  Engine engine() const { return engine_; }

  /// The SQL as the driver prepares it: tokens filled in, each `?` outside of quotes and comments a `:p1`, `:p2`, …
  struct Prepared {
    std::string sql;
    std::size_t placeholders = 0;
  };
  Prepared prepare(std::string_view sql) const;
  /// The SQL with its tokens filled in.
  std::string fill_in(std::string_view sql) const;
  /// The statements of a migration, which end with `;` at the end of a line (or of the text).
  static std::vector<std::string_view> split(std::string_view sql);
  /// A name in double quotes.
  static std::string identifier(std::string_view name);

  std::string_view begin_write() const;
  /// Everything read until the commit is of one moment.
  std::string_view begin_read() const;

 private:
  Engine engine_;
};

}  // namespace backplane::storage
