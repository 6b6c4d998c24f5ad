// SQL, written once for SQLite and PostgreSQL. Placeholders are `?`, bound by position; statements are prepared once
// a session and kept. Inside the work given to a Store, failures of the database are thrown as storage::Failure and
// become the Error that the Store answers: work needs no error handling of its own.
//
//   session.each<std::int64_t, std::string>("SELECT depth, json FROM events WHERE room = ?", {room},
//                                           [&](std::int64_t depth, const std::string& json) { … });
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "backplane/base/export.h"
#include "backplane/base/fields.h"
#include "backplane/base/result.h"

namespace backplane::storage {

/// A database's failure, on its way out of the work. Only the Store catches it.
class BACKPLANE_API Failure : public std::runtime_error {
 public:
  explicit Failure(Error error);
  ~Failure() override;
  const Error& error() const { return error_; }

 private:
  Error error_;
};

/// A parameter. Text and bytes are views: they live as long as the call.
class Parameter {
 public:
  enum class Kind : std::uint8_t { null, integer, real, text, bytes };
  Parameter(std::nullptr_t) {}
  Parameter(bool v) : kind(Kind::integer), integer(v) {}
  template <class I>
  requires(std::is_integral_v<I> && !std::is_same_v<I, bool>) Parameter(I v)
      : kind(Kind::integer), integer(static_cast<std::int64_t>(v)) {}
  Parameter(double v) : kind(Kind::real), real(v) {}
  Parameter(std::string_view v) : kind(Kind::text), text(v) {}
  Parameter(const std::string& v) : kind(Kind::text), text(v) {}
  Parameter(const char* v) : kind(Kind::text), text(v) {}
  Parameter(const Bytes& v) : kind(Kind::bytes), text(v.data) {}
  template <class Tag>
  Parameter(const StrongId<Tag>& v) : kind(Kind::text), text(v.view()) {}
  template <class T>
  Parameter(const std::optional<T>& v) {
    if (v) *this = Parameter(*v);
  }

  Kind kind = Kind::null;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view text{};
};

enum class ColumnType : std::uint8_t { integer, real, text, bytes };

/// A cell of the current row; text is valid until the next row.
struct Cell {
  bool null = true;
  std::int64_t integer = 0;
  double real = 0;
  std::string* text = nullptr;
};

namespace detail {
template <class T>
struct column;
template <class I>
requires std::is_integral_v<I>
struct column<I> {
  static constexpr ColumnType type = ColumnType::integer;
  static I get(Cell& c) { return static_cast<I>(c.integer); }
};
template <>
struct column<double> {
  static constexpr ColumnType type = ColumnType::real;
  static double get(Cell& c) { return c.real; }
};
template <>
struct column<std::string> {
  static constexpr ColumnType type = ColumnType::text;
  static std::string get(Cell& c) { return c.text ? std::move(*c.text) : std::string(); }
};
template <>
struct column<Bytes> {
  static constexpr ColumnType type = ColumnType::bytes;
  static Bytes get(Cell& c) { return Bytes{c.text ? std::move(*c.text) : std::string()}; }
};
template <class Tag>
struct column<StrongId<Tag>> {
  static constexpr ColumnType type = ColumnType::text;
  static StrongId<Tag> get(Cell& c) { return StrongId<Tag>(column<std::string>::get(c)); }
};
template <class T>
struct column<std::optional<T>> {
  static constexpr ColumnType type = column<T>::type;
  static std::optional<T> get(Cell& c) { return c.null ? std::nullopt : std::optional<T>(column<T>::get(c)); }
};
}  // namespace detail

/// A connection inside a transaction. Belongs to the thread that runs the work, and only while it runs.
class BACKPLANE_API Session {
 public:
  using Parameters = std::initializer_list<Parameter>;
  virtual ~Session();

  /// Runs a statement without rows; answers how many rows it changed.
  std::int64_t execute(std::string_view sql, Parameters parameters = {}) {
    return execute_span(sql, {parameters.begin(), parameters.size()});
  }
  std::int64_t execute_span(std::string_view sql, std::span<const Parameter> parameters) {
    return run(sql, parameters, {}, nullptr, nullptr);
  }

  /// Calls `row` with the columns of each row. It may return false to stop. It must not run the same statement again.
  template <class... Columns, class Row>
  void each(std::string_view sql, Parameters parameters, Row&& row) {
    each_span<Columns...>(sql, {parameters.begin(), parameters.size()}, std::forward<Row>(row));
  }
  template <class... Columns, class Row>
  void each_span(std::string_view sql, std::span<const Parameter> parameters, Row&& row) {
    static constexpr ColumnType types[] = {detail::column<Columns>::type...};
    auto on_row = [&](std::span<Cell> cells) -> bool {
      return call<Columns...>(row, cells, std::index_sequence_for<Columns...>{});
    };
    using OnRow = decltype(on_row);
    run(
        sql, parameters, types, [](void* f, std::span<Cell> cells) { return (*static_cast<OnRow*>(f))(cells); },
        &on_row);
  }

  /// The first row, or nothing. One column comes as itself, several as a tuple.
  template <class... Columns>
  auto find(std::string_view sql, Parameters parameters = {}) {
    using R = std::conditional_t<sizeof...(Columns) == 1, std::tuple_element_t<0, std::tuple<Columns...>>,
                                 std::tuple<Columns...>>;
    std::optional<R> found;
    each<Columns...>(sql, parameters, [&](Columns... columns) {
      found.emplace(std::move(columns)...);
      return false;
    });
    return found;
  }

  /// Every row.
  template <class... Columns>
  auto list(std::string_view sql, Parameters parameters = {}) {
    using R = std::conditional_t<sizeof...(Columns) == 1, std::tuple_element_t<0, std::tuple<Columns...>>,
                                 std::tuple<Columns...>>;
    std::vector<R> rows;
    each<Columns...>(sql, parameters, [&](Columns... columns) { rows.emplace_back(std::move(columns)...); });
    return rows;
  }

 protected:
  using RowFunction = bool (*)(void*, std::span<Cell>);
  virtual std::int64_t run(std::string_view sql, std::span<const Parameter> parameters,
                           std::span<const ColumnType> columns, RowFunction on_row, void* argument) = 0;

 private:
  template <class... Columns, class Row, std::size_t... I>
  static bool call(Row& row, std::span<Cell> cells, std::index_sequence<I...>) {
    if constexpr (std::is_same_v<std::invoke_result_t<Row&, Columns...>, bool>) {
      return row(detail::column<Columns>::get(cells[I])...);
    } else {
      row(detail::column<Columns>::get(cells[I])...);
      return true;
    }
  }
};

}  // namespace backplane::storage
