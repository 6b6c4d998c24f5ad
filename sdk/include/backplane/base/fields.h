// Describes an aggregate once, beside it: BACKPLANE_FIELDS(Type, member, …) in Type's namespace. From that one list
// come its JSON form (remote calls, log records), its fingerprint (so that two builds that disagree are told apart)
// and nothing has to be kept in step by hand. It does not compile when a member is missing.
//
// Members may be: bool, integers, double, std::string, StrongId, json::Raw (copied, not looked into), Bytes
// (base64), enums described by BACKPLANE_ENUM, other described aggregates, and std::optional, std::vector and
// std::map<std::string, …> of these. On reading, unknown members are ignored and absent ones keep their default.
#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "backplane/base/encoding.h"
#include "backplane/base/json.h"
#include "backplane/base/result.h"
#include "backplane/base/strong_id.h"

namespace backplane {

/// Bytes that are no text.
struct Bytes {
  std::string data;
  bool operator==(const Bytes&) const = default;
};

namespace fields_detail {

template <class T>
concept Described = requires(T& t) {
  backplane_fields_of(t, [](const char*, auto&) {});
};
template <class T>
concept Named = std::is_enum_v<T> && requires(T t) {
  backplane_enum_names(t);
};

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};
template <class T>
struct is_map : std::false_type {};
template <class T>
struct is_map<std::map<std::string, T>> : std::true_type {};
template <class T>
struct is_strong_id : std::false_type {};
template <class T>
struct is_strong_id<StrongId<T>> : std::true_type {};
template <class>
inline constexpr bool unsupported = false;

inline Error bad_field(std::string_view name, std::string_view wanted) {
  return invalid("bad_json", "member '" + std::string(name) + "' is not " + std::string(wanted));
}
template <class E>
constexpr std::string_view enum_name(E value) {
  std::string_view names = backplane_enum_names(value);
  for (auto index = static_cast<std::size_t>(value);; --index) {
    const auto comma = names.find(',');
    std::string_view name = names.substr(0, comma);
    while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
    if (index == 0) return name;
    if (comma == std::string_view::npos) return {};
    names.remove_prefix(comma + 1);
  }
}
}  // namespace fields_detail

/// The name of an enumerator that BACKPLANE_ENUM listed.
template <fields_detail::Named E>
constexpr std::string_view enum_name(E value) {
  return fields_detail::enum_name(value);
}
/// The enumerator of that name, or nothing.
template <fields_detail::Named E>
constexpr std::optional<E> enum_from(std::string_view name) {
  for (int i = 0;; ++i) {
    const auto candidate = fields_detail::enum_name(static_cast<E>(i));
    if (candidate.empty()) return std::nullopt;
    if (candidate == name) return static_cast<E>(i);
  }
}

/// Appends the value's JSON.
template <class T>
void write_json(json::Writer& out, const T& value) {
  namespace d = fields_detail;
  if constexpr (std::is_same_v<T, bool>) out.boolean(value);
  else if constexpr (std::is_same_v<T, double>) out.real(value);
  else if constexpr (std::is_same_v<T, std::uint64_t>) out.unsigned_integer(value);
  else if constexpr (std::is_integral_v<T>) out.integer(value);
  else if constexpr (std::is_same_v<T, std::string>) out.string(value);
  else if constexpr (d::is_strong_id<T>::value) out.string(value.view());
  else if constexpr (std::is_same_v<T, json::Raw>) value.empty() ? out.null() : out.raw(value.text);
  else if constexpr (std::is_same_v<T, Bytes>) out.string(base64(value.data));
  else if constexpr (d::Named<T>) out.string(d::enum_name(value));
  else if constexpr (d::is_optional<T>::value) {
    if (value) write_json(out, *value);
    else out.null();
  } else if constexpr (d::is_vector<T>::value) {
    out.begin_array();
    for (const auto& element : value) write_json(out, element);
    out.end_array();
  } else if constexpr (d::is_map<T>::value) {
    out.begin_object();
    for (const auto& [key, element] : value) {
      out.key(key);
      write_json(out, element);
    }
    out.end_object();
  } else if constexpr (d::Described<const T>) {
    out.begin_object();
    backplane_fields_of(value, [&](const char* name, const auto& member) {
      using M = std::remove_cvref_t<decltype(member)>;
      if constexpr (d::is_optional<M>::value) {
        if (!member) return;
      }
      if constexpr (std::is_same_v<M, json::Raw>) {
        if (member.empty()) return;
      }
      out.key(name);
      write_json(out, member);
    });
    out.end_object();
  } else static_assert(d::unsupported<T>, "describe the type with BACKPLANE_FIELDS or BACKPLANE_ENUM");
}

/// Reads a value; an error names the member that is of another kind.
template <class T>
Result<void> read_json(json::View in, T& value, std::string_view name = "") {
  namespace d = fields_detail;
  if constexpr (std::is_same_v<T, bool>) {
    const auto v = in.as_boolean();
    if (!v) return d::bad_field(name, "a boolean");
    value = *v;
  } else if constexpr (std::is_same_v<T, double>) {
    const auto v = in.as_real();
    if (!v) return d::bad_field(name, "a number");
    value = *v;
  } else if constexpr (std::is_same_v<T, std::uint64_t>) {
    const auto v = in.as_unsigned();
    if (!v) return d::bad_field(name, "an integer in range");
    value = *v;
  } else if constexpr (std::is_integral_v<T>) {
    const auto v = in.as_integer();
    if (!v || !std::in_range<T>(*v)) return d::bad_field(name, "an integer in range");
    value = static_cast<T>(*v);
  } else if constexpr (std::is_same_v<T, std::string>) {
    const auto v = in.as_string();
    if (!v) return d::bad_field(name, "a string");
    value = *v;
  } else if constexpr (d::is_strong_id<T>::value) {
    const auto v = in.as_string();
    if (!v) return d::bad_field(name, "a string");
    value = T(std::string(*v));
  } else if constexpr (std::is_same_v<T, json::Raw>) {
    value.text = in.is_null() ? std::string() : in.canonical();
  } else if constexpr (std::is_same_v<T, Bytes>) {
    const auto v = in.as_string();
    auto bytes = v ? decode_base64(*v) : std::nullopt;
    if (!bytes) return d::bad_field(name, "base64");
    value.data = std::move(*bytes);
  } else if constexpr (d::Named<T>) {
    const auto v = in.as_string();
    const auto e = v ? enum_from<T>(*v) : std::nullopt;
    if (!e) return d::bad_field(name, "one of the known words");
    value = *e;
  } else if constexpr (d::is_optional<T>::value) {
    if (in.is_null()) {
      value.reset();
      return {};
    }
    return read_json(in, value.emplace(), name);
  } else if constexpr (d::is_vector<T>::value) {
    if (!in.is_array()) return d::bad_field(name, "an array");
    value.clear();
    for (const json::View element : in.elements()) {
      typename T::value_type item{};
      if (auto r = read_json(element, item, name); !r) return r;
      value.push_back(std::move(item));
    }
  } else if constexpr (d::is_map<T>::value) {
    if (!in.is_object()) return d::bad_field(name, "an object");
    value.clear();
    for (const auto& [key, element] : in.members())
      if (auto r = read_json(element, value[std::string(key)], key); !r) return r;
  } else if constexpr (d::Described<T>) {
    if (!in.is_object()) return d::bad_field(name, "an object");
    Result<void> outcome;
    backplane_fields_of(value, [&](const char* member_name, auto& member) {
      if (!outcome) return;
      if (const auto v = in.find(member_name)) outcome = read_json(*v, member, member_name);
    });
    return outcome;
  } else static_assert(d::unsupported<T>, "describe the type with BACKPLANE_FIELDS or BACKPLANE_ENUM");
  return {};
}

/// Appends a text that differs whenever two builds would not understand each other.
template <class T>
void describe(std::string& out) {
  namespace d = fields_detail;
  if constexpr (std::is_same_v<T, void>) out += "void";
  else if constexpr (std::is_same_v<T, bool>) out += "bool";
  else if constexpr (std::is_same_v<T, double>) out += "real";
  else if constexpr (std::is_integral_v<T>) out += (std::is_signed_v<T> ? "i" : "u") + std::to_string(sizeof(T) * 8);
  else if constexpr (std::is_same_v<T, std::string> || d::is_strong_id<T>::value) out += "string";
  else if constexpr (std::is_same_v<T, json::Raw>) out += "raw";
  else if constexpr (std::is_same_v<T, Bytes>) out += "bytes";
  else if constexpr (d::Named<T>) {
    out += "enum(";
    out += backplane_enum_names(T{});
    out += ")";
  } else if constexpr (d::is_optional<T>::value) {
    describe<typename T::value_type>(out);
    out += "?";
  } else if constexpr (d::is_vector<T>::value) {
    out += "[";
    describe<typename T::value_type>(out);
    out += "]";
  } else if constexpr (d::is_map<T>::value) {
    out += "map<";
    describe<typename T::mapped_type>(out);
    out += ">";
  } else {
    out += "{";
    T sample{};
    backplane_fields_of(sample, [&](const char* name, auto& member) {
      out += name;
      out += ":";
      describe<std::remove_cvref_t<decltype(member)>>(out);
      out += ",";
    });
    out += "}";
  }
}

template <class T>
std::string to_json(const T& value) {
  std::string out;
  json::Writer writer(out);
  write_json(writer, value);
  return out;
}
template <class T>
Result<T> from_json(std::string_view text) {
  auto document = json::Document::parse(text);
  if (!document) return std::move(document).error();
  T value{};
  if (auto r = read_json(document->root(), value); !r) return std::move(r).error();
  return value;
}

}  // namespace backplane

#define BACKPLANE_PARENS_ ()
#define BACKPLANE_EXPAND_(...) \
  BACKPLANE_EXPAND3_(BACKPLANE_EXPAND3_(BACKPLANE_EXPAND3_(BACKPLANE_EXPAND3_(__VA_ARGS__))))
#define BACKPLANE_EXPAND3_(...) \
  BACKPLANE_EXPAND2_(BACKPLANE_EXPAND2_(BACKPLANE_EXPAND2_(BACKPLANE_EXPAND2_(__VA_ARGS__))))
#define BACKPLANE_EXPAND2_(...) \
  BACKPLANE_EXPAND1_(BACKPLANE_EXPAND1_(BACKPLANE_EXPAND1_(BACKPLANE_EXPAND1_(__VA_ARGS__))))
#define BACKPLANE_EXPAND1_(...) __VA_ARGS__
#define BACKPLANE_EACH_(macro, ...) __VA_OPT__(BACKPLANE_EXPAND_(BACKPLANE_EACH_STEP_(macro, __VA_ARGS__)))
#define BACKPLANE_EACH_STEP_(macro, a, ...) \
  macro(a) __VA_OPT__(BACKPLANE_EACH_AGAIN_ BACKPLANE_PARENS_(macro, __VA_ARGS__))
#define BACKPLANE_EACH_AGAIN_() BACKPLANE_EACH_STEP_
#define BACKPLANE_VISIT_(member) backplane_visit(#member, backplane_self.member);
// A structured binding names every member or does not compile, and costs the compiler next to nothing.
#define BACKPLANE_NAME_ALL_(...) __VA_OPT__({ [[maybe_unused]] const auto& [__VA_ARGS__] = backplane_self; })

/// Lists every member of an aggregate, in order.
#define BACKPLANE_FIELDS(Type, ...)                                                                                 \
  template <class Visit>                                                                                            \
  void backplane_fields_of([[maybe_unused]] Type& backplane_self, [[maybe_unused]] Visit&& backplane_visit) {       \
    BACKPLANE_NAME_ALL_(__VA_ARGS__)                                                                                \
    BACKPLANE_EACH_(BACKPLANE_VISIT_, __VA_ARGS__)                                                                  \
  }                                                                                                                 \
  template <class Visit>                                                                                            \
  void backplane_fields_of([[maybe_unused]] const Type& backplane_self, [[maybe_unused]] Visit&& backplane_visit) { \
    BACKPLANE_EACH_(BACKPLANE_VISIT_, __VA_ARGS__)                                                                  \
  }                                                                                                                 \
  static_assert(true)

/// Lists every enumerator, in order and from 0; they are spelled so in JSON.
#define BACKPLANE_ENUM(Type, ...)                                           \
  constexpr const char* backplane_enum_names(Type) { return #__VA_ARGS__; } \
  static_assert(true)
