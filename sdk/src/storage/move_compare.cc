#include "storage/move_compare.h"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>
#include <vector>

namespace backplane::storage {
namespace {

struct Value {
  bool null = true;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;
};
using Row = std::vector<Value>;

/// A table's rows, a part at a time through a cursor: the driver holds a whole answer in memory.
class TargetRows {
 public:
  TargetRows(SociSession& session, const MovedTable& table) : session_(session), types_(table.column_types()) {
    // Named after the table: a session keeps its statements by their text.
    const std::string cursor = Dialect::identifier("rows of " + table.name);
    fetch_ = "FETCH FORWARD 500 FROM " + cursor;
    session_.execute(session_.dialect().begin_read());
    session_.execute_once("DECLARE " + cursor + " NO SCROLL CURSOR FOR SELECT " + table.column_list() + " FROM " +
                          Dialect::identifier(table.name) + " ORDER BY " + table.order(Engine::postgresql));
  }
  ~TargetRows() {
    try {
      session_.execute("ROLLBACK");
    } catch (const Failure&) {
      // The connection is gone, and the transaction with it.
    }
  }
  TargetRows(const TargetRows&) = delete;
  TargetRows& operator=(const TargetRows&) = delete;

  /// nullptr after the last one; valid until the next call.
  const Row* next() {
    if (at_ == count_) fetch();
    return at_ < count_ ? &rows_[at_++] : nullptr;
  }

 private:
  void fetch() {
    at_ = count_ = 0;
    session_.run(
        fetch_, {}, types_,
        [](void* self, std::span<Cell> cells) {
          static_cast<TargetRows*>(self)->take(cells);
          return true;
        },
        this);
  }
  void take(std::span<Cell> cells) {
    if (count_ == rows_.size()) rows_.emplace_back(cells.size());
    Row& row = rows_[count_++];
    for (std::size_t i = 0; i < cells.size(); ++i) {
      row[i].null = cells[i].null;
      row[i].integer = cells[i].integer;
      row[i].real = cells[i].real;
      if (cells[i].text != nullptr) std::swap(row[i].text, *cells[i].text);
    }
  }

  SociSession& session_;
  const std::vector<ColumnType> types_;
  std::string fetch_;
  std::vector<Row> rows_;
  std::size_t at_ = 0, count_ = 0;
};

bool equal(ColumnType type, const Cell& cell, const Value& value) {
  if (cell.null || value.null) return cell.null == value.null;
  switch (type) {
    case ColumnType::integer: return cell.integer == value.integer;
    case ColumnType::real: return std::bit_cast<std::int64_t>(cell.real) == std::bit_cast<std::int64_t>(value.real);
    default: return *cell.text == value.text;
  }
}

/// `(room = 7, state_key = @a:b)`; nothing of a table without a key, as other columns are nobody's business.
std::string key_of(const MovedTable& table, std::span<const Cell> cells) {
  std::string out;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const MovedColumn& column = table.columns[i];
    if (std::ranges::find(table.key, column.name) == table.key.end()) continue;
    out.append(out.empty() ? " (" : ", ").append(column.name).append(" = ");
    out += column.type == ColumnType::text ? *cells[i].text : std::to_string(cells[i].integer);
  }
  return out + (out.empty() ? "" : ")");
}

[[noreturn]] void differ(const MovedTable& table, const std::string& how) {
  throw Failure(conflict("rows_differ", "table " + table.name + ": " + how));
}

}  // namespace

void compare_table(MoveSource& source, SociSession& target, const MovedTable& table,
                   const std::function<void(std::int64_t)>& on_rows) {
  TargetRows rows(target, table);
  std::int64_t count = 0;
  source.read_in_order(table, [&](std::span<Cell> cells) {
    const Row* row = rows.next();
    if (row == nullptr) differ(table, "row " + std::to_string(count + 1) + key_of(table, cells) + " is missing");
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (equal(table.columns[i].type, cells[i], (*row)[i])) continue;
      differ(table, "row " + std::to_string(count + 1) + key_of(table, cells) + " is another there, in column " +
                        table.columns[i].name);
    }
    if (++count % 1000 == 0) on_rows(count);
  });
  if (rows.next() != nullptr) differ(table, "there are more than its " + std::to_string(count) + " rows");
}

}  // namespace backplane::storage
