#include "storage/move_target.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <map>
#include <utility>

#include "storage/claim.h"
#include "storage/connect.h"
#include "storage/exclusive_claim.h"
#include "storage/migrate.h"
#include "storage/move_marker.h"

namespace backplane::storage {
namespace {

template <class Number>
void append_number(std::string& out, Number number) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  out.append(text.data(), end);
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t special = std::min(text.find_first_of("\"\\", begin), text.size());
    out.append(text, begin, special - begin);
    if (special < text.size()) out.append({'\\', text[special]});
    begin = special + 1;
  }
  out += '"';
}

std::string_view array_type(ColumnType type) {
  switch (type) {
    case ColumnType::integer: return "BIGINT[]";
    case ColumnType::real: return "DOUBLE PRECISION[]";
    default: return "TEXT[]";
  }
}

/// What the notes of its indexes begin with; a table's name has no space.
std::string index_note(const MovedTable& table) { return "index of " + table.name + " "; }

}  // namespace

MoveBatch::MoveBatch(const MovedTable& table) : types_(table.column_types()), columns_(table.columns.size()) {
  clear();
}

void MoveBatch::clear() {
  for (std::string& column : columns_) column = "{";
  rows_ = 0;
}

std::size_t MoveBatch::bytes() const {
  std::size_t bytes = 0;
  for (const std::string& column : columns_) bytes += column.size();
  return bytes;
}

void MoveBatch::add(std::span<const Cell> row) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    std::string& out = columns_[i];
    if (rows_ > 0) out += ',';
    if (row[i].null) out += "NULL";
    else if (types_[i] == ColumnType::integer) append_number(out, row[i].integer);
    else if (types_[i] == ColumnType::real) append_number(out, row[i].real);
    else append_quoted(out, *row[i].text);
  }
  ++rows_;
}

// Connected as for reading: the other way makes the schema.
MoveTarget::MoveTarget(const MovedStore& store, const MoveSource& source, Clock& clock, Duration lock_wait)
    : store_(store),
      source_(source),
      clock_(clock),
      session_(connector(store.target, store.name, clock)(SessionUse::read)) {
  take_lock(lock_wait);
  begun_ = move_marker::exists(*session_);
  const auto tables =
      session_->find<std::int64_t>("SELECT count(*) FROM pg_tables WHERE schemaname = ?", {schema()}).value_or(0);
  if (!begun_ && tables > 0) {
    throw Failure(conflict("target_not_empty", "the schema '" + schema() + "' holds " + std::to_string(tables) +
                                                   " tables that no unfinished move has put there"));
  }
  // A lost batch is copied again; the end of the move makes all of them durable.
  session_->execute_once("SET synchronous_commit TO off");
}

/// As a server that has the store to itself. The lock of a move that was killed ends when PostgreSQL is done with its
/// last statement.
void MoveTarget::take_lock(Duration wait) {
  for (const Instant until = clock_.now() + wait;;) {
    try {
      return take_store(*session_, store_.target, AdvisoryLock::Mode::exclusive);
    } catch (const Failure& failure) {
      if (failure.error().reason != "store_in_use" || clock_.now() >= until) throw;
    }
    wait_for(clock_, std::chrono::milliseconds(100));
  }
}

void MoveTarget::check_same_source() const {
  if (!begun_ || !move_marker::find_note(*session_, "prepared")) return;
  bool same = move_marker::find_number(*session_, "version") == source_.version();
  for (const MovedTable& table : source_.tables())
    same = same && move_marker::find_number(*session_, "rows of " + table.name) == table.rows;
  if (same) return;
  throw Failure(conflict("source_changed", "a move into the schema '" + schema() +
                                               "' was begun from other data, or the file has changed since"));
}

void MoveTarget::prepare(const Logger& logger) {
  if (move_marker::find_note(*session_, "prepared")) return;
  // What a run that was ended in the middle of this has left is made again.
  in_transaction(*session_, [&] {
    move_marker::drop_schema(*session_, schema());
    move_marker::create(*session_, schema());
  });
  create_tables(logger);
  for (const MovedTable& table : source_.tables()) check_columns(table);
  in_transaction(*session_, [&] {
    move_marker::note(*session_, "source", std::string_view(store_.path));
    move_marker::note(*session_, "version", source_.version());
    for (const MovedTable& table : source_.tables()) move_marker::note(*session_, "rows of " + table.name, table.rows);
    for (const MovedTable& table : source_.tables()) drop_indexes(table);
    move_marker::note(*session_, "prepared", 1);
  });
}

void MoveTarget::create_tables(const Logger& logger) {
  const auto version = static_cast<std::size_t>(source_.version());
  if (version > store_.migrations.size()) {
    throw Failure(conflict("database_newer", "the database is at version " + std::to_string(version) +
                                                 ", this program knows versions up to " +
                                                 std::to_string(store_.migrations.size())));
  }
  // To the version of the data; the server takes it further with the data in it.
  if (auto migrated = migrate(*session_, std::span(store_.migrations).first(version), clock_, logger); !migrated)
    throw Failure(std::move(migrated).error());
  for (const MovedTable& table : source_.tables()) {
    if (!table.is_of_sdk()) continue;
    for (const std::string& sql : table.sql) session_->execute_once(sql);
  }
}

void MoveTarget::check_columns(const MovedTable& table) {
  std::map<std::string, std::string> wanted;
  for (const MovedColumn& column : table.columns) {
    wanted[column.name] = column.type == ColumnType::integer ? "bigint"
                          : column.type == ColumnType::real  ? "double precision"
                                                             : "text";
  }
  std::map<std::string, std::string> found;
  session_->each<std::string, std::string>(
      "SELECT a.attname, format_type(a.atttypid, NULL) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN "
      "pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relname = ? AND a.attnum > 0 "
      "AND NOT a.attisdropped",
      {table.name}, [&](std::string name, std::string type) { found[std::move(name)] = std::move(type); });
  if (found == wanted) return;
  throw Failure(invalid("cannot_move", "table " + table.name +
                                           ": the migrations of this version do not make it as it is "
                                           "in the file"));
}

void MoveTarget::drop_indexes(const MovedTable& table) {
  const auto indexes = session_->list<std::string, std::string>(
      "SELECT x.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN "
      "pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = "
      "current_schema() AND c.relname = ? AND NOT i.indisprimary AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE "
      "conindid = i.indexrelid)",
      {table.name});
  for (const auto& [name, definition] : indexes) {
    move_marker::note(*session_, index_note(table) + name, definition);
    session_->execute_once("DROP INDEX " + Dialect::identifier(schema()) + "." + Dialect::identifier(name));
  }
}

std::int64_t MoveTarget::copied(const MovedTable& table) {
  return move_marker::find_number(*session_, "copied of " + table.name).value_or(0);
}

std::string MoveTarget::insert_statement(const MovedTable& table) const {
  std::string arrays;
  for (const MovedColumn& column : table.columns)
    arrays.append(arrays.empty() ? "" : ", ").append("CAST(? AS ").append(array_type(column.type)).append(")");
  return "INSERT INTO " + Dialect::identifier(table.name) + " (" + table.column_list() + ") SELECT * FROM unnest(" +
         arrays + ")";
}

void MoveTarget::insert(const MovedTable& table, const MoveBatch& batch) {
  std::vector<std::string> arrays = batch.columns();
  for (std::string& array : arrays) array += '}';
  const std::vector<Parameter> parameters(arrays.begin(), arrays.end());
  in_transaction(*session_, [&] {
    session_->execute_span(insert_statement(table), parameters);
    move_marker::note(*session_, "copied of " + table.name, copied(table) + static_cast<std::int64_t>(batch.rows()));
  });
}

void MoveTarget::complete(const MovedTable& table) {
  for (const auto& [what, definition] : move_marker::list_notes(*session_, index_note(table))) {
    in_transaction(*session_, [&] {
      session_->execute_once(definition);
      move_marker::remove_note(*session_, what);
    });
  }
  session_->execute_once("ANALYZE " + Dialect::identifier(table.name));
}

}  // namespace backplane::storage
