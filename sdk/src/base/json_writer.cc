#include <charconv>
#include <cmath>
#include <cstring>

#include "backplane/base/json.h"

namespace backplane::json {
namespace {

constexpr std::uint64_t every_byte(std::uint64_t byte) { return byte * 0x0101010101010101; }

/// Whether one of eight bytes is a control character, a quote or a backslash.
bool has_special(std::uint64_t word) {
  const auto zero_byte = [](std::uint64_t x) { return (x - every_byte(1)) & ~x; };
  const std::uint64_t below_space = (word - every_byte(0x20)) & ~word;
  const std::uint64_t quote_or_backslash = zero_byte(word ^ every_byte('"')) | zero_byte(word ^ every_byte('\\'));
  return ((below_space | quote_or_backslash) & every_byte(0x80)) != 0;
}

bool is_special(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\t': out += "\\t"; return;
    case '\n': out += "\\n"; return;
    case '\f': out += "\\f"; return;
    case '\r': out += "\\r"; return;
    default: {
      const auto byte = static_cast<unsigned char>(c);
      out += "\\u00";
      out += "0123456789abcdef"[byte >> 4];
      out += "0123456789abcdef"[byte & 15];
    }
  }
}

/// The first character that needs an escape, or the end.
const char* skip_plain(const char* at, const char* end) {
  while (end - at >= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    if (has_special(word)) break;
    at += 8;
  }
  while (at != end && !is_special(*at)) ++at;
  return at;
}

template <class Number>
void append_number(std::string& out, Number value, auto... format) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, format...).ptr;
  out.append(digits, end);
}

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::null: return "null";
    case Kind::boolean: return "a boolean";
    case Kind::integer: return "an integer";
    case Kind::real: return "a number";
    case Kind::string: return "a string";
    case Kind::array: return "an array";
    case Kind::object: return "an object";
  }
  return "null";
}

void append_quoted(std::string& out, std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  const char* run = skip_plain(at, end);
  if (run == end) {  // as nearly always: nothing to escape, and one growth of the string
    const std::size_t before = out.size();
    out.resize(before + text.size() + 2);
    char* to = out.data() + before;
    *to++ = '"';
    if (!text.empty()) std::memcpy(to, at, text.size());
    to[text.size()] = '"';
    return;
  }
  out += '"';
  for (;;) {
    out.append(at, run);
    if (run == end) break;
    append_escape(out, *run);
    at = run + 1;
    run = skip_plain(at, end);
  }
  out += '"';
}

std::string quoted(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  append_quoted(out, text);
  return out;
}

void Writer::separate() {
  if (need_comma_) out_ += ',';
  need_comma_ = true;
}

Writer& Writer::begin_object() {
  separate();
  out_ += '{';
  need_comma_ = false;
  return *this;
}

Writer& Writer::end_object() {
  out_ += '}';
  need_comma_ = true;
  return *this;
}

Writer& Writer::begin_array() {
  separate();
  out_ += '[';
  need_comma_ = false;
  return *this;
}

Writer& Writer::end_array() {
  out_ += ']';
  need_comma_ = true;
  return *this;
}

Writer& Writer::key(std::string_view name) {
  separate();
  append_quoted(out_, name);
  out_ += ':';
  need_comma_ = false;
  return *this;
}

Writer& Writer::string(std::string_view text) {
  separate();
  append_quoted(out_, text);
  return *this;
}

Writer& Writer::integer(std::int64_t value) {
  separate();
  append_number(out_, value);
  return *this;
}

Writer& Writer::unsigned_integer(std::uint64_t value) {
  separate();
  append_number(out_, value);
  return *this;
}

Writer& Writer::real(double value) {
  separate();
  if (!std::isfinite(value)) {
    out_ += "null";  // JSON has no word for it
  } else if (std::trunc(value) == value && std::abs(value) <= 9007199254740991.0) {
    append_number(out_, static_cast<std::int64_t>(value));
  } else if (std::abs(value) >= 9223372036854775808.0) {
    // The shortest form may be digits alone, which are an integer then, and one that no parser has room for.
    append_number(out_, value, std::chars_format::scientific);
  } else {
    append_number(out_, value);
  }
  return *this;
}

Writer& Writer::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
  return *this;
}

Writer& Writer::null() {
  separate();
  out_ += "null";
  return *this;
}

Writer& Writer::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

Writer& Writer::value(View view) {
  separate();
  view.append_canonical(out_);
  return *this;
}

}  // namespace backplane::json
