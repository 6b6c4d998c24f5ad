#include "storage/move_compare.h"

#include <algorithm>
#include <bit>
#include <future>
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

/// A table's rows, a part at a time through a cursor: the driver holds a whole answer in memory. The next part is
/// fetched by a thread of its own while this one is compared.
class TargetRows {
 public:
  TargetRows(SociSession& session, const MovedTable& table) : session_(session), types_(table.column_types()) {
    // Named after the table: a session keeps its statements by their text.
    const std::string cursor = Dialect::identifier("rows of " + table.name);
    fetch_ = "FETCH FORWARD 1000 FROM " + cursor;
    session_.execute(session_.dialect().begin_read());
    session_.execute_once("DECLARE " + cursor + " NO SCROLL CURSOR FOR SELECT " + table.column_list() + " FROM " +
                          Dialect::identifier(table.name) + " ORDER BY " + table.order(Engine::postgresql));
    begin_fetch();
  }
  ~TargetRows() {
    if (fetching_.valid()) fetching_.wait();
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
    if (at_ == part_.count && fetching_.valid()) {
      fetching_.get();
      at_ = 0;
      std::swap(part_, next_);
      if (part_.count > 0) begin_fetch();
    }
    return at_ < part_.count ? &part_.rows[at_++] : nullptr;
  }

 private:
  struct Part {
    std::vector<Row> rows;  ///< kept, as their texts have memory
    std::size_t count = 0;
  };

  void begin_fetch() {
    fetching_ = std::async(std::launch::async, [this] {
      next_.count = 0;
      session_.run(
          fetch_, {}, types_,
          [](void* part, std::span<Cell> cells) {
            take(*static_cast<Part*>(part), cells);
            return true;
          },
          &next_);
    });
  }
  static void take(Part& part, std::span<Cell> cells) {
    if (part.count == part.rows.size()) part.rows.emplace_back(cells.size());
    Row& row = part.rows[part.count++];
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
  Part part_, next_;  ///< what is compared, and what is fetched
  std::size_t at_ = 0;
  std::future<void> fetching_;  ///< none after the last part
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
