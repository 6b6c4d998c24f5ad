#include "backplane/storage/rows.h"

#include <algorithm>
#include <bit>
#include <span>
#include <stdexcept>

namespace backplane::storage {
namespace {

constexpr std::string_view values_word = "VALUES ";
/// A statement is prepared for each number of rows up to the first of these, and then for powers of two up to the last.
constexpr std::size_t exact_rows = 8;
constexpr std::size_t most_rows = 64;

std::size_t next_rows(std::size_t left) {
  return left <= exact_rows ? left : std::min(std::bit_floor(left), most_rows);
}

}  // namespace

Rows::Rows(std::string_view sql) {
  const auto values = sql.find(values_word);
  const auto begin = values + values_word.size();
  const auto end = values == std::string_view::npos ? values : sql.find(')', begin);
  if (end == std::string_view::npos || sql[begin] != '(')
    throw std::logic_error("no statement that inserts one row: " + std::string(sql));
  before_ = sql.substr(0, begin);
  row_ = sql.substr(begin, end + 1 - begin);
  after_ = sql.substr(end + 1);
  columns_ = static_cast<std::size_t>(std::ranges::count(row_, '?'));
}

void Rows::add(std::initializer_list<Parameter> values) {
  if (values.size() != columns_) {
    throw std::logic_error("a row of " + std::to_string(columns_) + " values got " + std::to_string(values.size()) +
                           ": " + std::string(before_));
  }
  values_.insert(values_.end(), values);
}

const std::string& Rows::statement(std::size_t rows) {
  statement_.clear();
  statement_.reserve(before_.size() + rows * (row_.size() + 2) + after_.size());
  statement_ += before_;
  for (std::size_t i = 0; i < rows; ++i) {
    if (i > 0) statement_ += ", ";
    statement_ += row_;
  }
  return statement_ += after_;
}

std::int64_t Rows::insert(Session& session) {
  std::int64_t inserted = 0;
  for (std::span<const Parameter> left(values_); !left.empty();) {
    const std::size_t rows = next_rows(left.size() / columns_);
    inserted += session.execute_span(statement(rows), left.first(rows * columns_));
    left = left.subspan(rows * columns_);
  }
  values_.clear();
  return inserted;
}

}  // namespace backplane::storage
