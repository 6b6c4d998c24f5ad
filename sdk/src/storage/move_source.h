// The SQLite file that a move reads: what tables it has, and their rows. Nothing is written to it.
//
// Used by move.cc. One thread; failures are thrown as Failure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/soci_session.h"

namespace backplane::storage {

struct MovedColumn {
  std::string name;
  ColumnType type = ColumnType::text;  ///< integer, real or text; bytes are base64 text in both databases
};

struct MovedTable {
  std::string name;
  std::vector<std::string> sql;  ///< what made it and its indexes
  std::vector<MovedColumn> columns;
  std::vector<std::string> key;  ///< the columns of its primary key; empty when it has none
  bool without_rowid = false;
  std::int64_t rows = 0;

  /// The SDK makes its tables when a store is opened, with SQL that both databases understand.
  bool is_of_sdk() const { return name.starts_with("bp_"); }
  /// `"a", "b"`
  std::string column_list() const;
  std::vector<ColumnType> column_types() const;
  /// By the primary key, or by everything; equal on both sides, whatever collation the database has.
  std::string order(Engine engine) const;
};

class MoveSource {
 public:
  /// Reads what is there; throws unavailable/storage, invalid/cannot_move.
  explicit MoveSource(const std::string& path);

  /// The number of the last migration.
  std::int64_t version() const { return version_; }
  /// All but the list of migrations, those that others refer to first.
  const std::vector<MovedTable>& tables() const { return tables_; }

  using RowFunction = std::function<void(std::span<Cell>)>;
  /// The rows as they are stored, without the first `skip`. The order is always the same.
  void read(const MovedTable& table, std::int64_t skip, const RowFunction& on_row);
  void read_in_order(const MovedTable& table, const RowFunction& on_row);

 private:
  void find_tables();
  void read_columns(MovedTable& table);
  void check_values(const MovedTable& table);
  void put_referenced_first();
  void select(const MovedTable& table, const std::string& sql, const RowFunction& on_row);

  SociSession session_;
  std::int64_t version_ = 0;
  std::vector<MovedTable> tables_;
};

}  // namespace backplane::storage
