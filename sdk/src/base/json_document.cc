#include <algorithm>
#include <array>

#include "backplane/base/encoding.h"
#include "base/json_access.h"

namespace backplane::json {

struct Document::Parsed {
  simdjson::dom::document document;
};

namespace {

Error bad_json(std::string text) { return invalid("bad_json", std::move(text)); }

/// What a parsed text is checked for beyond the grammar.
class Checker {
 public:
  Checker(bool strict_numbers, bool check_strings) : strict_numbers_(strict_numbers), check_strings_(check_strings) {}

  Result<void> check(const element& value) {
    switch (value.type()) {
      case element_type::OBJECT: return check_object(value.get_object().value_unsafe());
      case element_type::ARRAY: return check_array(value.get_array().value_unsafe());
      case element_type::STRING: return check_string(value.get_string().value_unsafe());
      case element_type::INT64:
        if (strict_numbers_ && !is_strict_integer(value.get_int64().value_unsafe())) {
          return bad_json("an integer is out of range");
        }
        return {};
      case element_type::UINT64:
        if (strict_numbers_) return bad_json("an integer is out of range");
        return {};
      case element_type::DOUBLE:
        if (strict_numbers_) return bad_json("a number is not an integer");
        return {};
      default: return {};
    }
  }

 private:
  static constexpr std::size_t few = 16;

  Result<void> check_array(const simdjson::dom::array& array) {
    for (const element item : array) BACKPLANE_CHECK(check(item));
    return {};
  }

  Result<void> check_object(const simdjson::dom::object& object) {
    std::array<std::string_view, few> keys;
    std::size_t count = 0;
    for (auto it = object.begin(); it != object.end(); ++it) {
      const std::string_view key = it.key();
      if (count < few) {
        for (std::size_t i = 0; i < count; ++i) {
          if (keys[i] == key) return duplicate(key);
        }
        keys[count] = key;
      }
      ++count;
      BACKPLANE_CHECK(check_string(key));
      BACKPLANE_CHECK(check(it.value()));
    }
    return count > few ? check_many(object, count) : Result<void>();
  }

  static Result<void> check_many(const simdjson::dom::object& object, std::size_t count) {
    std::vector<std::string_view> keys;
    keys.reserve(count);
    for (auto it = object.begin(); it != object.end(); ++it) keys.push_back(it.key());
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    return twice != keys.end() ? duplicate(*twice) : Result<void>();
  }

  static Result<void> duplicate(std::string_view key) {
    return bad_json("member '" + std::string(key.substr(0, 100)) + "' appears twice");
  }

  // simdjson lets an escaped low surrogate without its high one through; the string is then no UTF-8.
  Result<void> check_string(std::string_view text) const {
    if (check_strings_ && !is_utf8(text)) return invalid("not_json", "a string has half of a surrogate pair");
    return {};
  }

  const bool strict_numbers_;
  const bool check_strings_;
};

/// Whether every number of the text follows the grammar, so that it was the size of one that the parser refused.
bool numbers_are_well_formed(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t start = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i - start;
  };
  while (i < text.size()) {
    if (text[i] == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\') ++i;
      }
      ++i;
    } else if (text[i] == '-' || is_digit(text[i])) {
      if (text[i] == '-') ++i;
      const bool zero = i < text.size() && text[i] == '0';
      const std::size_t integral = digits();
      if (integral == 0 || (zero && integral > 1)) return false;
      if (i < text.size() && text[i] == '.' && (++i, digits()) == 0) return false;
      if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
        ++i;
        if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
        if (digits() == 0) return false;
      }
      if (i < text.size() && std::string_view(",]} \t\r\n").find(text[i]) == std::string_view::npos) return false;
    } else {
      ++i;
    }
  }
  return true;
}

Error parse_error(simdjson::error_code code, std::string_view text) {
  switch (code) {
    case simdjson::CAPACITY: return invalid("too_large", "the JSON text is too large");
    case simdjson::MEMALLOC: return {ErrorCode::unavailable, "", "out of memory"};
    case simdjson::DEPTH_ERROR: return bad_json("the JSON text is nested too deeply");
    case simdjson::NUMBER_ERROR:
      if (numbers_are_well_formed(text)) return bad_json("a number is out of range");
      break;
    default: break;
  }
  return invalid("not_json", std::string("not a JSON text: ") + simdjson::error_message(code));
}

}  // namespace

Document::Document(std::unique_ptr<Parsed> parsed) : parsed_(std::move(parsed)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Result<Document> Document::parse(std::string_view text, const ParseLimits& limits) {
  if (text.size() > limits.max_bytes) return invalid("too_large", "the JSON text is too large");
  // The parser reads ahead: its input is followed by padding. Small texts, most of them, are copied to the stack.
  constexpr std::size_t padding = simdjson::SIMDJSON_PADDING;
  std::array<char, 4096 + padding> on_stack;
  std::unique_ptr<char[]> on_heap;
  char* input = on_stack.data();
  if (text.size() + padding > on_stack.size()) {
    on_heap = std::make_unique_for_overwrite<char[]>(text.size() + padding);
    input = on_heap.get();
  }
  if (!text.empty()) std::memcpy(input, text.data(), text.size());
  std::memset(input + text.size(), ' ', padding);

  auto parsed = std::make_unique<Parsed>();
  simdjson::dom::parser parser;
  if (const auto error = parser.allocate(text.size(), limits.max_depth)) return parse_error(error, text);
  const auto root = parser.parse_into_document(parsed->document, input, text.size(), false);
  if (root.error()) return parse_error(root.error(), text);
  const bool has_unicode_escape = text.find("\\u") != std::string_view::npos;
  BACKPLANE_CHECK(Checker(limits.strict_numbers, has_unicode_escape).check(root.value_unsafe()));
  return Document(std::move(parsed));
}

Result<Document> Document::parse_object(std::string_view text, const ParseLimits& limits) {
  auto document = parse(text, limits);
  if (document && !document->root().is_object()) return bad_json("the JSON text is not an object");
  return document;
}

View Document::root() const& { return View::Access::make(parsed_->document.root()); }

}  // namespace backplane::json
