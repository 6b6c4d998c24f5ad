#include "storage/move_source.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

namespace backplane::storage {
namespace {

[[noreturn]] void cannot_move(const std::string& table, const std::string& why) {
  throw Failure(invalid("cannot_move", "table " + table + ": " + why));
}

/// What SQLite calls the affinity of a declared type, by its rules.
std::optional<ColumnType> type_of(std::string declared) {
  std::ranges::transform(declared, declared.begin(), [](unsigned char c) { return std::toupper(c); });
  const auto has = [&](std::string_view part) { return declared.find(part) != std::string::npos; };
  if (has("INT")) return ColumnType::integer;
  if (has("CHAR") || has("CLOB") || has("TEXT")) return ColumnType::text;
  if (has("REAL") || has("FLOA") || has("DOUB")) return ColumnType::real;
  return std::nullopt;
}

std::string_view storage_class(ColumnType type) {
  switch (type) {
    case ColumnType::integer: return "integer";
    case ColumnType::real: return "real";
    default: return "text";
  }
}

}  // namespace

std::string MovedTable::column_list() const {
  std::string list;
  for (const MovedColumn& column : columns) list.append(list.empty() ? "" : ", ") += Dialect::identifier(column.name);
  return list;
}

std::vector<ColumnType> MovedTable::column_types() const {
  std::vector<ColumnType> types;
  for (const MovedColumn& column : columns) types.push_back(column.type);
  return types;
}

std::string MovedTable::order(Engine engine) const {
  std::string order;
  for (const MovedColumn& column : columns) {
    if (!key.empty() && std::ranges::find(key, column.name) == key.end()) continue;
    order.append(order.empty() ? "" : ", ") += Dialect::identifier(column.name);
    if (engine == Engine::sqlite) continue;
    if (column.type == ColumnType::text) order += " COLLATE \"C\"";
    if (key.empty()) order += " NULLS FIRST";  // a key has none, and its index another order of them
  }
  return order;
}

MoveSource::MoveSource(const std::string& path) : session_(Engine::sqlite, path, SociSession::Access::read_only) {
  find_tables();
  for (MovedTable& table : tables_) {
    read_columns(table);
    check_values(table);
    table.rows = session_.find<std::int64_t>("SELECT count(*) FROM " + Dialect::identifier(table.name)).value_or(0);
  }
  put_referenced_first();
}

void MoveSource::find_tables() {
  session_.execute_once("PRAGMA busy_timeout=10000");
  bool has_migrations = false;
  session_.each<std::string, std::int64_t>(
      "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%' "
      "ORDER BY name",
      {}, [&](std::string name, std::int64_t without_rowid) {
        if (name == "bp_migrations") {
          has_migrations = true;
          return;
        }
        MovedTable table;
        table.name = std::move(name);
        table.without_rowid = without_rowid != 0;
        tables_.push_back(std::move(table));
      });
  if (!has_migrations)
    throw Failure(invalid("cannot_move", "it has no list of migrations: it is no plugin's database"));
  version_ = session_.find<std::int64_t>("SELECT COALESCE(MAX(number), 0) FROM bp_migrations").value_or(0);
  for (MovedTable& table : tables_)
    table.sql = session_.list<std::string>(
        "SELECT sql FROM sqlite_schema WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY type DESC, name", {table.name});
}

void MoveSource::read_columns(MovedTable& table) {
  std::vector<std::pair<std::int64_t, std::string>> key;
  session_.each<std::string, std::string, std::int64_t>(
      "SELECT name, type, pk FROM pragma_table_info(?) ORDER BY cid", {table.name},
      [&](std::string name, const std::string& declared, std::int64_t place) {
        const auto type = type_of(declared);
        if (!type) cannot_move(table.name, "column " + name + " is of type '" + declared + "'");
        if (place > 0) key.emplace_back(place, name);
        table.columns.push_back({std::move(name), *type});
      });
  std::ranges::sort(key);
  for (auto& [place, name] : key) table.key.push_back(std::move(name));
}

/// SQLite stores a value of any type in any column; PostgreSQL does not.
void MoveSource::check_values(const MovedTable& table) {
  std::string wrong;
  for (const MovedColumn& column : table.columns) {
    wrong.append(wrong.empty() ? "" : " OR ").append("typeof(").append(Dialect::identifier(column.name));
    wrong.append(") NOT IN ('null', '").append(storage_class(column.type)).append("')");
  }
  const auto count =
      session_.find<std::int64_t>("SELECT count(*) FROM " + Dialect::identifier(table.name) + " WHERE " + wrong);
  if (count != 0)
    cannot_move(table.name, std::to_string(*count) + " rows have a value that is not of its column's type");
}

void MoveSource::put_referenced_first() {
  std::vector<MovedTable> ordered;
  std::vector<MovedTable> left = std::move(tables_);
  const auto is_left = [&](const std::string& name) {
    return std::ranges::find(left, name, &MovedTable::name) != left.end();
  };
  while (!left.empty()) {
    const auto next = std::ranges::find_if(left, [&](const MovedTable& table) {
      const auto referenced =
          session_.list<std::string>("SELECT \"table\" FROM pragma_foreign_key_list(?)", {table.name});
      return std::ranges::none_of(referenced, [&](const auto& name) { return name != table.name && is_left(name); });
    });
    if (next == left.end()) cannot_move(left.front().name, "it and others refer to each other in a circle");
    ordered.push_back(std::move(*next));
    left.erase(next);
  }
  tables_ = std::move(ordered);
}

void MoveSource::read(const MovedTable& table, std::int64_t skip, const RowFunction& on_row) {
  const std::string order = table.without_rowid ? table.order(Engine::sqlite) : "rowid";
  select(table, order + " LIMIT -1 OFFSET " + std::to_string(skip), on_row);
}

void MoveSource::read_in_order(const MovedTable& table, const RowFunction& on_row) {
  select(table, table.order(Engine::sqlite), on_row);
}

void MoveSource::select(const MovedTable& table, const std::string& order, const RowFunction& on_row) {
  const auto types = table.column_types();
  session_.run(
      "SELECT " + table.column_list() + " FROM " + Dialect::identifier(table.name) + " ORDER BY " + order, {}, types,
      [](void* function, std::span<Cell> row) {
        (*static_cast<const RowFunction*>(function))(row);
        return true;
      },
      const_cast<RowFunction*>(&on_row));
}

}  // namespace backplane::storage
