#include "storage/soci_statement.h"

#include <soci/sqlite3/soci-sqlite3.h>

#include <stdexcept>
#include <utility>

#include "backplane/base/encoding.h"

namespace backplane::storage {
namespace {

using soci::details::statement_backend;
using soci::details::x_double;
using soci::details::x_long_long;
using soci::details::x_stdstring;

/// Buffers that grew above this are given back after use.
constexpr std::size_t kept_capacity = 64 * 1024;

void give_back(std::string& buffer) {
  if (buffer.capacity() > kept_capacity) std::string().swap(buffer);
}

/// The back end's own reset() is not exported; nor is its type's description, which the sanitizer would ask for.
__attribute__((no_sanitize("vptr"))) void reset_sqlite(statement_backend& backend) {
  sqlite_api::sqlite3_reset(static_cast<soci::sqlite3_statement_backend&>(backend).stmt_);
}

}  // namespace

SociStatement::SociStatement(soci::session& session, const Dialect& dialect, std::string_view sql, bool once)
    : engine_(dialect.engine()), backend_(session.make_statement_backend()) {
  const auto prepared = dialect.prepare(sql);
  placeholders_ = prepared.placeholders;
  slots_ = std::make_unique<Slot[]>(placeholders_);
  backend_->alloc();
  backend_->prepare(prepared.sql, once ? soci::details::st_one_time_query : soci::details::st_repeatable_query);
}

SociStatement::~SociStatement() {
  slots_.reset();
  columns_.reset();
  backend_->clean_up();
}

SociStatement::UseBackend& SociStatement::binding(std::size_t index, soci::details::exchange_type type) {
  Slot& slot = slots_[index];
  const std::size_t which = type == x_long_long ? 0 : type == x_double ? 1 : 2;
  auto& binding = slot.bindings[which];
  if (!binding) {
    binding.reset(backend_->make_use_type_backend());
    void* const data = which == 0   ? static_cast<void*>(&slot.integer)
                       : which == 1 ? static_cast<void*>(&slot.real)
                                    : static_cast<void*>(&slot.text);
    int position = static_cast<int>(index) + 1;
    binding->bind_by_pos(position, data, type, true);
  }
  return *binding;
}

void SociStatement::bind_text(Slot& slot, std::size_t index, std::string_view text) {
  // PostgreSQL knows no such text and SOCI would cut it; SQLite would take it. Refused in both.
  if (text.find('\0') != std::string_view::npos || !is_utf8(text)) {
    throw Failure(invalid("bad_text", "a text for the database holds a NUL or is no UTF-8"));
  }
  slot.text.assign(text);
  slot.bound = &binding(index, x_stdstring);
}

void SociStatement::bind(std::span<const Parameter> parameters) {
  if (parameters.size() != placeholders_) {
    throw std::logic_error("a statement with " + std::to_string(placeholders_) + " placeholders got " +
                           std::to_string(parameters.size()) + " parameters");
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Parameter& parameter = parameters[i];
    Slot& slot = slots_[i];
    slot.indicator = soci::i_ok;
    switch (parameter.kind) {
      case Parameter::Kind::null:
        slot.indicator = soci::i_null;
        if (slot.bound == nullptr) slot.bound = &binding(i, x_long_long);
        break;
      case Parameter::Kind::integer:
        slot.integer = parameter.integer;
        slot.bound = &binding(i, x_long_long);
        break;
      case Parameter::Kind::real:
        slot.real = parameter.real;
        slot.bound = &binding(i, x_double);
        break;
      case Parameter::Kind::text: bind_text(slot, i, parameter.text); break;
      case Parameter::Kind::bytes:
        slot.text = base64(parameter.text);
        slot.bound = &binding(i, x_stdstring);
        break;
    }
    slot.bound->pre_use(&slot.indicator);
  }
}

void SociStatement::define(std::span<const ColumnType> types) {
  bool same = cells_.size() == types.size();
  for (std::size_t i = 0; same && i < types.size(); ++i) same = columns_[i].type == types[i];
  if (same) return;
  columns_ = std::make_unique<Column[]>(types.size());
  cells_.assign(types.size(), Cell{});
  int position = 1;
  for (std::size_t i = 0; i < types.size(); ++i) {
    Column& column = columns_[i];
    column.type = types[i];
    column.backend.reset(backend_->make_into_type_backend());
    if (column.type == ColumnType::integer) column.backend->define_by_pos(position, &column.integer, x_long_long);
    else if (column.type == ColumnType::real) column.backend->define_by_pos(position, &column.real, x_double);
    else column.backend->define_by_pos(position, &column.text, x_stdstring);
  }
}

void SociStatement::take_row(bool got, bool fetched) {
  for (std::size_t i = 0; i < cells_.size(); ++i) columns_[i].backend->post_fetch(got, fetched, &columns_[i].indicator);
}

void SociStatement::fill_cells() {
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    Column& column = columns_[i];
    Cell& cell = cells_[i];
    cell = Cell{};
    cell.null = column.indicator == soci::i_null;
    if (cell.null) continue;
    switch (column.type) {
      case ColumnType::integer: cell.integer = column.integer; break;
      case ColumnType::real: cell.real = column.real; break;
      case ColumnType::bytes: {
        auto bytes = decode_base64(column.text);
        if (!bytes) throw Failure(internal_error("a column of bytes holds what is no base64"));
        column.text = std::move(*bytes);
        cell.text = &column.text;
        break;
      }
      case ColumnType::text: cell.text = &column.text; break;
    }
  }
}

std::int64_t SociStatement::run(std::span<const Parameter> parameters, std::span<const ColumnType> columns,
                                RowFunction on_row, void* argument) {
  if (running_) throw std::logic_error("a statement was run again from the function that takes its rows");
  running_ = true;
  bool got = true;  // also when it throws: something may be left to reset
  try {
    bind(parameters);
    define(columns);
    got = backend_->execute(1) == statement_backend::ef_success;
    take_row(got, false);
    while (got && on_row != nullptr) {
      fill_cells();
      if (!on_row(argument, cells_)) break;
      got = backend_->fetch(1) == statement_backend::ef_success;
      take_row(got, true);
    }
    const std::int64_t changed = columns.empty() ? backend_->get_affected_rows() : 0;
    finish(got);
    return changed;
  } catch (...) {
    finish(true);
    throw;
  }
}

void SociStatement::finish(bool rows_left) noexcept {
  running_ = false;
  // A statement that is not at its end keeps SQLite's read transaction open beyond the commit.
  if (rows_left && engine_ == Engine::sqlite) reset_sqlite(*backend_);
  for (std::size_t i = 0; i < placeholders_; ++i) {
    Slot& slot = slots_[i];
    if (slot.bound != nullptr) slot.bound->clean_up();  // PostgreSQL's copies
    give_back(slot.text);
  }
  for (std::size_t i = 0; i < cells_.size(); ++i) give_back(columns_[i].text);
}

}  // namespace backplane::storage
