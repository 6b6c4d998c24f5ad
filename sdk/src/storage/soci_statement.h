// One prepared statement, driven through SOCI's back-end interface. SOCI's own statement class fixes the types of the
// parameters when it is prepared and takes them by reference; here a `?` may be text now and NULL the next time.
//
// Used by soci_session.cc only. Belongs to its session, and to the thread that uses that.
#pragma once

#include <soci/session.h>
#include <soci/soci-backend.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backplane/storage/dialect.h"
#include "backplane/storage/session.h"

namespace backplane::storage {

class SociStatement {
 public:
  using RowFunction = bool (*)(void*, std::span<Cell>);

  /// `once`: run without preparing it on the server. Throws soci::soci_error.
  SociStatement(soci::session& session, const Dialect& dialect, std::string_view sql, bool once);
  ~SociStatement();
  SociStatement(const SociStatement&) = delete;
  SociStatement& operator=(const SociStatement&) = delete;

  /// As Session::run. Throws soci::soci_error, Failure, std::logic_error, and what `on_row` throws.
  std::int64_t run(std::span<const Parameter> parameters, std::span<const ColumnType> columns, RowFunction on_row,
                   void* argument);

  bool running() const { return running_; }
  std::uint64_t last_used = 0;  ///< for the session's cache

 private:
  using UseBackend = soci::details::standard_use_type_backend;
  using IntoBackend = soci::details::standard_into_type_backend;
  struct Slot {  ///< a parameter: a buffer and a binding for each type
    long long integer = 0;
    double real = 0;
    std::string text;
    soci::indicator indicator = soci::i_ok;
    std::array<std::unique_ptr<UseBackend>, 3> bindings;
    UseBackend* bound = nullptr;
  };
  struct Column {
    ColumnType type{};
    long long integer = 0;
    double real = 0;
    std::string text;
    soci::indicator indicator = soci::i_ok;
    std::unique_ptr<IntoBackend> backend;
  };

  UseBackend& binding(std::size_t index, soci::details::exchange_type type);
  void bind(std::span<const Parameter> parameters);
  void bind_text(Slot& slot, std::size_t index, std::string_view text);
  void define(std::span<const ColumnType> types);
  void take_row(bool got, bool fetched);
  void fill_cells();
  void finish(bool rows_left) noexcept;

  const Engine engine_;
  std::unique_ptr<soci::details::statement_backend> backend_;
  std::size_t placeholders_ = 0;
  std::unique_ptr<Slot[]> slots_;
  std::unique_ptr<Column[]> columns_;
  std::vector<Cell> cells_;
  bool running_ = false;
};

}  // namespace backplane::storage
