#include "backplane/base/json.h"
#include "base/json_scanner.h"

namespace backplane::json {
namespace {

std::optional<unsigned> four_hex_digits(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  unsigned value = 0;
  for (const char c : text.substr(0, 4)) {
    unsigned digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<unsigned>(c - 'a') + 10;
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<unsigned>(c - 'A') + 10;
    } else {
      return std::nullopt;
    }
    value = value << 4 | digit;
  }
  return value;
}

void append_utf8(std::string& out, unsigned code_point) {
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80 | (code_point >> shift & 0x3f)); };
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    out += static_cast<char>(0xc0 | code_point >> 6);
    tail(0);
  } else if (code_point < 0x10000) {
    out += static_cast<char>(0xe0 | code_point >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0 | code_point >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

/// Appends what the escape at the front of `text` (behind its backslash) stands for; answers its length, 0 if broken.
std::size_t append_unescaped(std::string& out, std::string_view text) {
  if (text.empty()) return 0;
  switch (text[0]) {
    case 'b': out += '\b'; return 1;
    case 't': out += '\t'; return 1;
    case 'n': out += '\n'; return 1;
    case 'f': out += '\f'; return 1;
    case 'r': out += '\r'; return 1;
    case '"':
    case '\\':
    case '/': out += text[0]; return 1;
    case 'u': break;
    default: return 0;
  }
  const auto high = four_hex_digits(text.substr(1));
  if (!high) return 0;
  if (*high < 0xd800 || *high > 0xdfff) {
    append_utf8(out, *high);
    return 5;
  }
  const auto low = text.substr(5).starts_with("\\u") ? four_hex_digits(text.substr(7)) : std::nullopt;
  if (*high > 0xdbff || !low || *low < 0xdc00 || *low > 0xdfff) return 0;
  append_utf8(out, 0x10000 + ((*high - 0xd800) << 10) + (*low - 0xdc00));
  return 11;
}

}  // namespace

std::optional<std::string_view> find_raw(std::string_view object, std::string_view key) {
  std::optional<std::string_view> found;
  each_raw_member(object, [&](std::string_view name, std::string_view value) {
    if (name == key) found = value;
    return !found;
  });
  return found;
}

std::optional<std::string> unquote(std::string_view raw) {
  std::string_view plain;
  if (plain_string(raw, plain)) return std::string(plain);
  if (raw.size() < 2 || raw.front() != '"' || raw.back() != '"') return std::nullopt;
  std::string_view rest = raw.substr(1, raw.size() - 2);
  std::string out;
  out.reserve(rest.size());
  while (!rest.empty()) {
    const std::size_t escape = std::min(rest.find('\\'), rest.size());
    out += rest.substr(0, escape);
    rest.remove_prefix(escape);
    if (rest.empty()) break;
    const std::size_t length = append_unescaped(out, rest.substr(1));
    if (length == 0) return std::nullopt;
    rest.remove_prefix(1 + length);
  }
  return out;
}

std::optional<std::string> find_raw_string(std::string_view object, std::string_view key) {
  const auto raw = find_raw(object, key);
  return raw ? unquote(*raw) : std::nullopt;
}

}  // namespace backplane::json
