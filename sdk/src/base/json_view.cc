#include <algorithm>

#include "base/json_access.h"

namespace backplane::json {
namespace {

Error missing(std::string_view key) { return invalid("bad_json", "member '" + std::string(key) + "' is missing"); }

Error wrong_kind(std::string_view key, Kind wanted) {
  return invalid("bad_json", "member '" + std::string(key) + "' is not " + std::string(to_string(wanted)));
}

template <class Value>
Result<Value> of_kind(std::string_view key, Kind wanted, std::optional<Value> value) {
  if (!value) return wrong_kind(key, wanted);
  return *std::move(value);
}

std::optional<View> if_kind(const View& view, Kind kind) {
  return view.kind() == kind ? std::optional(view) : std::nullopt;
}

/// The member as `read` answers it, or nothing when it is absent or null.
template <class Read>
auto optional_member(const View& object, std::string_view key, Kind wanted, Read read)
    -> Result<decltype(read(object))> {
  const auto member = object.find(key);
  if (!member || member->is_null()) return decltype(read(object))();
  auto value = read(*member);
  if (!value) return wrong_kind(key, wanted);
  return value;
}

bool all_numbers_strict(const element& value) {
  switch (value.type()) {
    case element_type::OBJECT: {
      const simdjson::dom::object object = value.get_object().value_unsafe();
      for (auto it = object.begin(); it != object.end(); ++it) {
        if (!all_numbers_strict(it.value())) return false;
      }
      return true;
    }
    case element_type::ARRAY: {
      const simdjson::dom::array array = value.get_array().value_unsafe();
      for (const element item : array) {
        if (!all_numbers_strict(item)) return false;
      }
      return true;
    }
    case element_type::INT64: return is_strict_integer(value.get_int64().value_unsafe());
    case element_type::UINT64:
    case element_type::DOUBLE: return false;
    default: return true;
  }
}

void append_canonical_element(std::string& out, const element& value);

void append_canonical_object(std::string& out, const simdjson::dom::object& object) {
  struct Entry {
    std::string_view key;
    element value;
  };
  bool sorted = true;
  std::size_t count = 0;
  std::string_view last;
  for (auto it = object.begin(); it != object.end(); ++it) {
    const std::string_view key = it.key();
    sorted = sorted && (count == 0 || last < key);
    last = key;
    ++count;
  }
  out += '{';
  bool first = true;
  const auto append = [&](std::string_view key, const element& value) {
    if (!first) out += ',';
    first = false;
    append_quoted(out, key);
    out += ':';
    append_canonical_element(out, value);
  };
  if (sorted) {
    for (auto it = object.begin(); it != object.end(); ++it) append(it.key(), it.value());
  } else {
    std::vector<Entry> entries;
    entries.reserve(count);
    for (auto it = object.begin(); it != object.end(); ++it) entries.push_back({it.key(), it.value()});
    // The order of code points is the order of UTF-8's bytes.
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.key < b.key; });
    for (const auto& entry : entries) append(entry.key, entry.value);
  }
  out += '}';
}

void append_canonical_element(std::string& out, const element& value) {
  switch (value.type()) {
    case element_type::OBJECT: append_canonical_object(out, value.get_object().value_unsafe()); return;
    case element_type::ARRAY: {
      const simdjson::dom::array array = value.get_array().value_unsafe();
      out += '[';
      bool first = true;
      for (const element item : array) {
        if (!first) out += ',';
        first = false;
        append_canonical_element(out, item);
      }
      out += ']';
      return;
    }
    case element_type::STRING: append_quoted(out, value.get_string().value_unsafe()); return;
    case element_type::INT64: Writer(out).integer(value.get_int64().value_unsafe()); return;
    case element_type::UINT64: Writer(out).unsigned_integer(value.get_uint64().value_unsafe()); return;
    case element_type::DOUBLE: Writer(out).real(value.get_double().value_unsafe()); return;
    case element_type::BOOL: out += value.get_bool().value_unsafe() ? "true" : "false"; return;
    case element_type::NULL_VALUE: out += "null"; return;
  }
}

}  // namespace

View::View() : element_{} {}

Kind View::kind() const {
  if (!Access::has_document(*this)) return Kind::null;
  switch (Access::of(*this).type()) {
    case element_type::OBJECT: return Kind::object;
    case element_type::ARRAY: return Kind::array;
    case element_type::STRING: return Kind::string;
    case element_type::INT64:
    case element_type::UINT64: return Kind::integer;
    case element_type::DOUBLE: return Kind::real;
    case element_type::BOOL: return Kind::boolean;
    case element_type::NULL_VALUE: return Kind::null;
  }
  return Kind::null;
}

std::optional<std::string_view> View::as_string() const {
  if (!Access::is(*this, element_type::STRING)) return std::nullopt;
  return Access::of(*this).get_string().value_unsafe();
}

std::optional<std::int64_t> View::as_integer() const {
  if (!Access::is(*this, element_type::INT64)) return std::nullopt;
  return Access::of(*this).get_int64().value_unsafe();
}

std::optional<std::uint64_t> View::as_unsigned() const {
  if (const auto value = as_integer()) {
    return *value >= 0 ? std::optional(static_cast<std::uint64_t>(*value)) : std::nullopt;
  }
  if (!Access::is(*this, element_type::UINT64)) return std::nullopt;
  return Access::of(*this).get_uint64().value_unsafe();
}

std::optional<double> View::as_real() const {
  if (!Access::has_document(*this)) return std::nullopt;
  const auto value = Access::of(*this).get_double();
  return value.error() ? std::nullopt : std::optional(value.value_unsafe());
}

std::optional<bool> View::as_boolean() const {
  if (!Access::is(*this, element_type::BOOL)) return std::nullopt;
  return Access::of(*this).get_bool().value_unsafe();
}

std::optional<View> View::find(std::string_view key) const {
  if (!Access::is(*this, element_type::OBJECT)) return std::nullopt;
  const auto member = Access::of(*this).get_object().value_unsafe().at_key(key);
  if (member.error()) return std::nullopt;
  return Access::make(member.value_unsafe());
}

std::optional<std::string_view> View::find_string(std::string_view key) const {
  const auto member = find(key);
  return member ? member->as_string() : std::nullopt;
}

std::optional<std::int64_t> View::find_integer(std::string_view key) const {
  const auto member = find(key);
  return member ? member->as_integer() : std::nullopt;
}

std::optional<bool> View::find_boolean(std::string_view key) const {
  const auto member = find(key);
  return member ? member->as_boolean() : std::nullopt;
}

Result<View> View::get(std::string_view key) const {
  if (const auto member = find(key)) return *member;
  return missing(key);
}

Result<std::string_view> View::get_string(std::string_view key) const {
  BACKPLANE_TRY(member, get(key));
  return of_kind(key, Kind::string, member.as_string());
}

Result<std::int64_t> View::get_integer(std::string_view key) const {
  BACKPLANE_TRY(member, get(key));
  return of_kind(key, Kind::integer, member.as_integer());
}

Result<bool> View::get_boolean(std::string_view key) const {
  BACKPLANE_TRY(member, get(key));
  return of_kind(key, Kind::boolean, member.as_boolean());
}

Result<View> View::get_object(std::string_view key) const {
  BACKPLANE_TRY(member, get(key));
  return of_kind(key, Kind::object, if_kind(member, Kind::object));
}

Result<View> View::get_array(std::string_view key) const {
  BACKPLANE_TRY(member, get(key));
  return of_kind(key, Kind::array, if_kind(member, Kind::array));
}

Result<std::optional<std::string_view>> View::get_optional_string(std::string_view key) const {
  return optional_member(*this, key, Kind::string, [](const View& view) { return view.as_string(); });
}

Result<std::optional<std::int64_t>> View::get_optional_integer(std::string_view key) const {
  return optional_member(*this, key, Kind::integer, [](const View& view) { return view.as_integer(); });
}

Result<std::optional<bool>> View::get_optional_boolean(std::string_view key) const {
  return optional_member(*this, key, Kind::boolean, [](const View& view) { return view.as_boolean(); });
}

Result<std::optional<View>> View::get_optional_object(std::string_view key) const {
  return optional_member(*this, key, Kind::object, [](const View& view) { return if_kind(view, Kind::object); });
}

Result<std::optional<View>> View::get_optional_array(std::string_view key) const {
  return optional_member(*this, key, Kind::array, [](const View& view) { return if_kind(view, Kind::array); });
}

std::vector<View> View::elements() const {
  std::vector<View> out;
  if (!Access::is(*this, element_type::ARRAY)) return out;
  const auto array = Access::of(*this).get_array().value_unsafe();
  out.reserve(array.size());
  for (const element item : array) out.push_back(Access::make(item));
  return out;
}

std::vector<Member> View::members() const {
  std::vector<Member> out;
  if (!Access::is(*this, element_type::OBJECT)) return out;
  const auto object = Access::of(*this).get_object().value_unsafe();
  out.reserve(object.size());
  for (auto it = object.begin(); it != object.end(); ++it) out.emplace_back(it.key(), Access::make(it.value()));
  return out;
}

std::size_t View::size() const {
  if (Access::is(*this, element_type::OBJECT)) return Access::of(*this).get_object().value_unsafe().size();
  if (Access::is(*this, element_type::ARRAY)) return Access::of(*this).get_array().value_unsafe().size();
  return 0;
}

bool View::has_strict_numbers() const { return !Access::has_document(*this) || all_numbers_strict(Access::of(*this)); }

std::string View::canonical() const {
  std::string out;
  append_canonical(out);
  return out;
}

void View::append_canonical(std::string& out) const {
  if (!Access::has_document(*this)) {
    out += "null";
  } else {
    append_canonical_element(out, Access::of(*this));
  }
}

}  // namespace backplane::json
