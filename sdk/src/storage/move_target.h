// The PostgreSQL schema that a move fills: made by the plugin's migrations, filled in batches, each with a note of how
// far it is in the same transaction. A table's indexes, but for what its constraints need, are taken away before it is
// filled and made when it is full: sorting once is much cheaper than finding each row's place.
//
// Used by move.cc. One thread at a time; failures are thrown as Failure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/clock.h"
#include "backplane/base/logger.h"
#include "backplane/storage/move.h"
#include "storage/move_source.h"
#include "storage/soci_session.h"

namespace backplane::storage {

/// Rows of a table on their way into one statement: an array literal for each column, as text.
class MoveBatch {
 public:
  explicit MoveBatch(const MovedTable& table);
  void add(std::span<const Cell> row);
  void clear();
  std::size_t rows() const { return rows_; }
  std::size_t bytes() const;
  const std::vector<std::string>& columns() const { return columns_; }

 private:
  std::vector<ColumnType> types_;
  std::vector<std::string> columns_;
  std::size_t rows_ = 0;
};

class MoveTarget {
 public:
  /// Connects, takes the store's lock for as long as this lives, and looks: nothing is written. Throws
  /// unavailable/storage, unavailable/store_in_use (after `lock_wait`), conflict/target_not_empty.
  MoveTarget(const MovedStore& store, const MoveSource& source, Clock& clock, Duration lock_wait);

  /// Whether a move that did not end has been here.
  bool begun() const { return begun_; }
  /// Throws conflict/source_changed when it was of other data.
  void check_same_source() const;
  /// Once marked: makes the tables, unless an earlier run did.
  void prepare(const Logger& logger);

  /// Rows of the table that are there already.
  std::int64_t copied(const MovedTable& table);
  void insert(const MovedTable& table, const MoveBatch& batch);
  /// After the last batch: the table's indexes, and what the database's planner wants to know.
  void complete(const MovedTable& table);

  SociSession& session() { return *session_; }
  const std::string& schema() const { return store_.target.schema; }

 private:
  void take_lock(Duration wait);
  void create_tables(const Logger& logger);
  void drop_indexes(const MovedTable& table);
  void check_columns(const MovedTable& table);
  std::string insert_statement(const MovedTable& table) const;

  const MovedStore& store_;
  const MoveSource& source_;
  Clock& clock_;
  const std::unique_ptr<SociSession> session_;
  bool begun_ = false;
};

}  // namespace backplane::storage
