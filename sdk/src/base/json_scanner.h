// Walks over trusted JSON text: it must be well-formed, and nothing is read past its end even when it is not.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

namespace backplane::json {

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
  bool at_string() {
    skip_space();
    return at_ != end_ && *at_ == '"';
  }
  /// What is between the quotes of a string, not unescaped.
  std::string_view string() {
    const char* const start = ++at_;
    skip_to_quote();
    const std::string_view text(start, static_cast<std::size_t>(at_ - start));
    if (at_ != end_) ++at_;
    return text;
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
      const void* quote = at_ == end_ ? nullptr : std::memchr(at_, '"', static_cast<std::size_t>(end_ - at_));
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

/// visit(key, value) for every member of an object, both as raw text (the key without its quotes), in order; until
/// visit answers false.
template <class Visit>
void each_raw_member(std::string_view object, Visit visit) {
  Scanner scanner(object);
  if (!scanner.take('{')) return;
  while (scanner.at_string()) {
    const std::string_view key = scanner.string();
    if (!scanner.take(':')) return;
    if (!visit(key, scanner.value()) || !scanner.take(',')) return;
  }
}

/// visit(value) for every element of an array, as raw text.
template <class Visit>
void each_raw_element(std::string_view array, Visit visit) {
  Scanner scanner(array);
  if (!scanner.take('[')) return;
  for (std::string_view value = scanner.value(); !value.empty(); value = scanner.value()) {
    visit(value);
    if (!scanner.take(',')) return;
  }
}

/// What is between the quotes of a raw string that has no escapes, as nearly all have none; otherwise nothing.
inline bool plain_string(std::string_view raw, std::string_view& out) {
  if (raw.size() < 2 || raw.front() != '"' || std::memchr(raw.data(), '\\', raw.size()) != nullptr) return false;
  out = raw.substr(1, raw.size() - 2);
  return true;
}

}  // namespace backplane::json
