// Several rows for one table, in as few statements as may be. On PostgreSQL a statement is a round trip, which costs
// the server's process more than the rows in it; on SQLite it makes little difference.
//
// For work that writes several rows of a table at once. Inside work, as every statement.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/export.h"
#include "backplane/storage/session.h"

namespace backplane::storage {

/// Rows on their way into a table. What they are made of (texts, bytes) lives until they are inserted.
class BACKPLANE_API Rows {
 public:
  /// `sql` inserts one row, with each of its values a placeholder: `INSERT INTO t (a, b) VALUES (?, ?) ON CONFLICT …`.
  /// It outlives this.
  explicit Rows(std::string_view sql);

  /// As many values as there are placeholders.
  void add(std::initializer_list<Parameter> values);
  bool empty() const { return values_.empty(); }
  /// Inserts the rows in the order in which they were added, and forgets them. Answers how many the tables got.
  std::int64_t insert(Session& session);

 private:
  const std::string& statement(std::size_t rows);

  std::string_view before_, row_, after_;  ///< of the SQL: up to `VALUES `, `(?, ?)`, and the rest
  std::size_t columns_;
  std::vector<Parameter> values_;
  std::string statement_;
};

}  // namespace backplane::storage
