#include "backplane/plugin/option_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace backplane::plugin {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

// From small to large. The second table lists the units of 1024 after those of 1000: format_bytes uses only these.
constexpr std::array<Unit, 7> duration_units{{{"ns", 1},
                                              {"us", 1'000},
                                              {"ms", 1'000'000},
                                              {"s", 1'000'000'000},
                                              {"m", 60'000'000'000},
                                              {"h", 3'600'000'000'000},
                                              {"d", 86'400'000'000'000}}};
constexpr std::array<Unit, 10> byte_units{{{"", 1},
                                           {"B", 1},
                                           {"kB", 1'000},
                                           {"KB", 1'000},
                                           {"MB", 1'000'000},
                                           {"GB", 1'000'000'000},
                                           {"KiB", 1 << 10},
                                           {"MiB", 1 << 20},
                                           {"GiB", 1 << 30},
                                           {"TiB", std::int64_t{1} << 40}}};

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

/// A number that is not negative, perhaps a space, a unit.
template <std::size_t n>
std::optional<std::int64_t> parse_with_unit(std::string_view text, const std::array<Unit, n>& units) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_integer(text.substr(0, digits));
  if (!number) return std::nullopt;
  std::string_view unit = text.substr(digits);
  if (unit.size() > 1 && unit.front() == ' ') unit.remove_prefix(1);
  for (const Unit& known : units) {
    if (known.name != unit) continue;
    if (*number > std::numeric_limits<std::int64_t>::max() / known.factor) return std::nullopt;
    return *number * known.factor;
  }
  return std::nullopt;
}

/// Something after "://", and a scheme that is a word.
bool is_url(std::string_view text) {
  const auto colon = text.find("://");
  return colon != std::string_view::npos && colon > 0 && text.size() > colon + 3 &&
         text.find_first_of(" \t\r\n") == std::string_view::npos;
}

bool is_number(OptionType type) {
  return type == OptionType::integer || type == OptionType::duration || type == OptionType::bytes;
}

std::string join(const std::vector<std::string>& words, std::string_view between) {
  std::string out;
  for (const auto& word : words) out.append(out.empty() ? "" : between).append(word);
  return out;
}

Error mismatch(const OptionSpec& option, std::string_view found) {
  std::string text = "expected " + describe(option) + ", found ";
  if (option.type == OptionType::secret) text += "something else";
  else text.append("'").append(found).append("'");
  return invalid("bad_option", std::move(text));
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration::zero();
  const auto count = parse_with_unit(text, duration_units);
  return count ? std::optional(Duration(*count)) : std::nullopt;
}

std::string format_duration(Duration duration) {
  const std::int64_t count = duration.count();
  if (count == 0) return "0";
  const Unit* best = &duration_units.front();
  for (const Unit& unit : duration_units)
    if (count % unit.factor == 0) best = &unit;
  return std::to_string(count / best->factor).append(best->name);
}

std::optional<std::int64_t> parse_bytes(std::string_view text) { return parse_with_unit(text, byte_units); }

std::string format_bytes(std::int64_t bytes) {
  const Unit* best = &byte_units.front();
  if (bytes != 0)
    for (std::size_t i = 6; i < byte_units.size(); ++i)
      if (bytes % byte_units[i].factor == 0) best = &byte_units[i];
  return std::to_string(bytes / best->factor).append(best->name);
}

std::string describe(const OptionSpec& option) {
  std::string what, such_as;  // a range shows by itself how it is written
  switch (option.type) {
    case OptionType::boolean: return "true or false";
    case OptionType::integer: what = "a whole number"; break;
    case OptionType::string: return "a text";
    case OptionType::enumeration: return "one of " + join(option.choices, ", ");
    case OptionType::duration: what = "a duration", such_as = " such as 250ms, 30s, 5m or 7d"; break;
    case OptionType::bytes: what = "a number of bytes", such_as = " such as 4096, 64KiB or 10MB"; break;
    case OptionType::path: return "a path";
    case OptionType::url: return "a URL such as https://example.org";
    case OptionType::secret: return "a secret text";
    case OptionType::list:
      return option.choices.empty() ? "a list of texts" : "a list of " + join(option.choices, ", ");
  }
  const auto text = [&](std::int64_t bound) { return format_value(option.type, OptionValue(bound)); };
  if (option.minimum && option.maximum) return what + " from " + text(*option.minimum) + " to " + text(*option.maximum);
  if (option.minimum) return what + ", at least " + text(*option.minimum);
  if (option.maximum) return what + ", at most " + text(*option.maximum);
  return what + such_as;
}

Result<OptionValue> parse_value(const OptionSpec& option, std::string_view text) {
  std::optional<OptionValue> value;
  switch (option.type) {
    case OptionType::boolean:
      if (text == "true" || text == "false") value = text == "true";
      break;
    case OptionType::integer:
      if (const auto number = parse_integer(text)) value = *number;
      break;
    case OptionType::duration:
      if (const auto duration = parse_duration(text)) value = static_cast<std::int64_t>(duration->count());
      break;
    case OptionType::bytes:
      if (const auto bytes = parse_bytes(text)) value = *bytes;
      break;
    case OptionType::list: break;  // has no form as one text
    default: value = std::string(text);
  }
  if (!value) return mismatch(option, text);
  BACKPLANE_CHECK(check_value(option, *value));
  return std::move(*value);
}

Result<void> check_value(const OptionSpec& option, const OptionValue& value) {
  bool right = false;
  if (option.type == OptionType::boolean) {
    right = std::holds_alternative<bool>(value);
  } else if (is_number(option.type)) {
    const auto* number = std::get_if<std::int64_t>(&value);
    right = number != nullptr && (!option.minimum || *number >= *option.minimum) &&
            (!option.maximum || *number <= *option.maximum);
  } else if (option.type == OptionType::list) {
    const auto* list = std::get_if<std::vector<std::string>>(&value);
    right = list != nullptr;
    if (list != nullptr && !option.choices.empty())
      for (const auto& item : *list)
        if (std::ranges::find(option.choices, item) == option.choices.end()) return mismatch(option, item);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    right = true;
    if (option.type == OptionType::enumeration)
      right = std::ranges::find(option.choices, *text) != option.choices.end();
    if (option.type == OptionType::url) right = text->empty() || is_url(*text);
  }
  if (right) return {};
  return mismatch(option, format_value(option.type, value));
}

std::string format_value(OptionType type, const OptionValue& value) {
  if (const auto* boolean = std::get_if<bool>(&value)) return *boolean ? "true" : "false";
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) return "[" + join(*list, ", ") + "]";
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  const std::int64_t number = std::get<std::int64_t>(value);
  if (type == OptionType::duration) return format_duration(Duration(number));
  if (type == OptionType::bytes) return format_bytes(number);
  return std::to_string(number);
}

}  // namespace backplane::plugin
