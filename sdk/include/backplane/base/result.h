// How a failure travels: every call that may fail returns a Result, across plugins and across hosts alike.
//
// A caller's logic looks at the code, a Matrix client sees what http/errors.h makes of (code, reason), and a person
// reads the text. Exceptions do not leave a plugin. Values only: safe to copy between threads.
#pragma once

#include <cassert>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "backplane/base/export.h"

namespace backplane {

/// What went wrong, for the logic of the caller.
enum class ErrorCode : std::uint8_t {
  not_found,    ///< there is no such thing
  denied,       ///< the caller may not
  invalid,      ///< the request is wrong, and will be however often it is repeated
  conflict,     ///< the request is right, but not in the present state
  incomplete,   ///< something that others hold is missing here
  timeout,      ///< the deadline passed
  unavailable,  ///< try again later
  internal,     ///< a fault of ours
};

BACKPLANE_API std::string_view to_string(ErrorCode code);
/// The code of that name; internal for a name that is not known.
BACKPLANE_API ErrorCode error_code_from(std::string_view name);

/// A further member of an error's answer; the value is JSON text (`"10"` with quotes is a string).
struct ErrorField {
  std::string name;
  std::string json;
  bool operator==(const ErrorField&) const = default;
};

struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::internal;
  std::string reason;  ///< a stable word, snake_case (`room_in_use`); empty when the code says it all
  std::string text;    ///< for people
  std::vector<ErrorField> fields;

  Error() = default;
  Error(ErrorCode c, std::string r, std::string t) : code(c), reason(std::move(r)), text(std::move(t)) {}
  /// Adds a string member to the answer (it is quoted here).
  BACKPLANE_API Error&& with(std::string_view name, std::string_view text_value) &&;
  /// Adds a member whose value is JSON text already.
  BACKPLANE_API Error&& with_json(std::string_view name, std::string json) &&;
  bool operator==(const Error&) const = default;
};

inline Error not_found(std::string reason, std::string text) {
  return {ErrorCode::not_found, std::move(reason), std::move(text)};
}
inline Error denied(std::string reason, std::string text) {
  return {ErrorCode::denied, std::move(reason), std::move(text)};
}
inline Error invalid(std::string reason, std::string text) {
  return {ErrorCode::invalid, std::move(reason), std::move(text)};
}
inline Error conflict(std::string reason, std::string text) {
  return {ErrorCode::conflict, std::move(reason), std::move(text)};
}
inline Error unavailable(std::string reason, std::string text) {
  return {ErrorCode::unavailable, std::move(reason), std::move(text)};
}
inline Error incomplete(std::string reason, std::string text) {
  return {ErrorCode::incomplete, std::move(reason), std::move(text)};
}
inline Error timed_out(std::string text) { return {ErrorCode::timeout, "", std::move(text)}; }
inline Error internal_error(std::string text) { return {ErrorCode::internal, "", std::move(text)}; }

/// A value, or why there is none. Access to the wrong one is a programming error (asserted).
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: a value is a Result
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: an Error is a Result

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    assert(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T value_or(T other) && { return ok() ? std::move(*this).value() : std::move(other); }
  Error& error() & {
    assert(!ok());
    return *std::get_if<1>(&state_);
  }
  const Error& error() const& {
    assert(!ok());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    assert(!ok());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  Result() = default;
  Result(Error error) : error_(std::move(error)), failed_(true) {}  // NOLINT: an Error is a Result
  bool ok() const { return !failed_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const& {
    assert(failed_);
    return error_;
  }
  Error&& error() && {
    assert(failed_);
    return std::move(error_);
  }

 private:
  Error error_;
  bool failed_ = false;
};

/// Returns the error of `expression` from the enclosing function; otherwise declares `name` with its value.
#define BACKPLANE_TRY(name, expression)                               \
  auto name##_result_ = (expression);                                 \
  if (!name##_result_.ok()) return std::move(name##_result_).error(); \
  auto& name = *name##_result_
/// The same for a Result whose value is not needed.
#define BACKPLANE_CHECK(expression)                                       \
  do {                                                                    \
    if (auto backplane_checked_ = (expression); !backplane_checked_.ok()) \
      return std::move(backplane_checked_).error();                       \
  } while (false)

}  // namespace backplane
