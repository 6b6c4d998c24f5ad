#include <cstring>

#include "backplane/base/json.h"

namespace backplane::json {
namespace {

/// Walks over trusted JSON: it must be well-formed, and nothing is read past `end` even when it is not.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }
  bool take(char c) {
    skip_space();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  /// What is between the quotes of a string, not unescaped.
  std::string_view string() {
    const char* const start = ++at_;
    skip_to_quote();
    const std::string_view text(start, static_cast<std::size_t>(at_ - start));
    if (at_ != end_) ++at_;
    return text;
  }
  bool at_string() {
    skip_space();
    return at_ != end_ && *at_ == '"';
  }
  std::string_view value() {
    skip_space();
    const char* const start = at_;
    if (at_ == end_) return {};
    if (*at_ == '"') {
      string();
    } else if (*at_ == '{' || *at_ == '[') {
      skip_container();
    } else {
      while (at_ != end_ && *at_ != ',' && *at_ != '}' && *at_ != ']' && static_cast<unsigned char>(*at_) > ' ') ++at_;
    }
    return {start, static_cast<std::size_t>(at_ - start)};
  }

 private:
  void skip_to_quote() {
    for (;;) {
      const void* quote = std::memchr(at_, '"', static_cast<std::size_t>(end_ - at_));
      if (quote == nullptr) {
        at_ = end_;
        return;
      }
      const char* const found = static_cast<const char*>(quote);
      const char* before = found;
      while (before != at_ && before[-1] == '\\') --before;
      at_ = found;
      if ((found - before) % 2 == 0) return;
      ++at_;  // an escaped quote
    }
  }
  void skip_container() {
    std::size_t depth = 0;
    while (at_ != end_) {
      const char c = *at_;
      if (c == '"') {
        string();
        continue;
      }
      ++at_;
      if (c == '{' || c == '[') {
        ++depth;
      } else if ((c == '}' || c == ']') && --depth == 0) {
        return;
      }
    }
  }

  const char* at_;
  const char* const end_;
};

}  // namespace

std::optional<std::string_view> find_raw(std::string_view object, std::string_view key) {
  Scanner scanner(object);
  if (!scanner.take('{')) return std::nullopt;
  while (scanner.at_string()) {
    const bool found = scanner.string() == key;
    if (!scanner.take(':')) return std::nullopt;
    const std::string_view value = scanner.value();
    if (found) return value;
    if (!scanner.take(',')) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace backplane::json
