// The SDK's own small face to JSON, so that no parser's type is in a public header and the rules about what is
// acceptable live in one place: depth, duplicate keys, integer range, UTF-8, and what is M_NOT_JSON against
// M_BAD_JSON. simdjson is behind it.
//
// A Document owns its bytes; a View points into one and is cheap to copy; a Writer appends to a string.
// Documents are immutable: any thread may read one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "backplane/base/export.h"
#include "backplane/base/result.h"

namespace backplane::json {

enum class Kind : std::uint8_t { null, boolean, integer, real, string, array, object };
BACKPLANE_API std::string_view to_string(Kind kind);

struct ParseLimits {
  std::size_t max_bytes = 64 * 1024 * 1024;
  std::size_t max_depth = 100;
  /// Refuse what canonical JSON has no form for: numbers that are no integers in [-(2^53)+1, 2^53-1]
  /// (Appendices, "Canonical JSON"). Duplicate keys and invalid UTF-8 are refused in any case.
  bool strict_numbers = false;
};

class View;
using Member = std::pair<std::string_view, View>;

/// A value inside a Document, which must outlive it. Getters answer errors of code `invalid`: reason `bad_json`
/// (M_BAD_JSON) with a text that says which member is missing or of another kind.
class BACKPLANE_API View {
 public:
  View();  ///< the value null
  Kind kind() const;
  bool is_null() const { return kind() == Kind::null; }
  bool is_object() const { return kind() == Kind::object; }
  bool is_array() const { return kind() == Kind::array; }
  bool is_string() const { return kind() == Kind::string; }
  bool is_integer() const { return kind() == Kind::integer; }

  /// The value as a type; nothing when it is of another kind. Strings are decoded, and live as long as the Document.
  std::optional<std::string_view> as_string() const;
  std::optional<std::int64_t> as_integer() const;
  std::optional<std::uint64_t> as_unsigned() const;
  /// Any number.
  std::optional<double> as_real() const;
  std::optional<bool> as_boolean() const;

  /// The member of an object; nothing when there is none or this is no object.
  std::optional<View> find(std::string_view key) const;
  std::optional<std::string_view> find_string(std::string_view key) const;
  std::optional<std::int64_t> find_integer(std::string_view key) const;
  std::optional<bool> find_boolean(std::string_view key) const;

  /// The member, of that kind, or an error that names it.
  Result<View> get(std::string_view key) const;
  Result<std::string_view> get_string(std::string_view key) const;
  Result<std::int64_t> get_integer(std::string_view key) const;
  Result<bool> get_boolean(std::string_view key) const;
  Result<View> get_object(std::string_view key) const;
  Result<View> get_array(std::string_view key) const;
  /// The member, or nothing when it is absent or null; an error when it is of another kind.
  Result<std::optional<std::string_view>> get_optional_string(std::string_view key) const;
  Result<std::optional<std::int64_t>> get_optional_integer(std::string_view key) const;
  Result<std::optional<bool>> get_optional_boolean(std::string_view key) const;
  Result<std::optional<View>> get_optional_object(std::string_view key) const;
  Result<std::optional<View>> get_optional_array(std::string_view key) const;

  /// The elements of an array, or nothing at all for another kind.
  std::vector<View> elements() const;
  /// The members of an object in the order of the text, or nothing at all for another kind.
  std::vector<Member> members() const;
  /// Elements or members; 0 for other kinds.
  std::size_t size() const;

  /// Whether every number in it is an integer in [-(2^53)+1, 2^53-1], so that canonical JSON has a form for it. For
  /// a part of a document that was parsed without strict_numbers.
  bool has_strict_numbers() const;

  /// This value as JSON text, in canonical form: sorted keys, no white space, shortest escapes.
  std::string canonical() const;
  void append_canonical(std::string& out) const;

 private:
  friend class Document;
  struct Access;
  alignas(8) unsigned char element_[16];  ///< what the parser has for a value
};

class BACKPLANE_API Document {
 public:
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();

  /// Errors: invalid/not_json (M_NOT_JSON) for what is no JSON text; invalid/bad_json for duplicate keys, depth and
  /// numbers out of range; invalid/too_large.
  static Result<Document> parse(std::string_view text, const ParseLimits& limits = {});
  /// As parse, and the text must be an object.
  static Result<Document> parse_object(std::string_view text, const ParseLimits& limits = {});
  View root() const&;
  View root() && = delete;  // the view would outlive what it points into

 private:
  struct Parsed;
  explicit Document(std::unique_ptr<Parsed> parsed);
  std::unique_ptr<Parsed> parsed_;
};

/// Appends JSON text to a string, placing commas itself. The order of keys is the caller's.
class BACKPLANE_API Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  Writer& begin_object();
  Writer& end_object();
  Writer& begin_array();
  Writer& end_array();
  Writer& key(std::string_view name);
  Writer& string(std::string_view text);
  Writer& integer(std::int64_t value);
  Writer& unsigned_integer(std::uint64_t value);
  Writer& real(double value);
  Writer& boolean(bool value);
  Writer& null();
  /// Splices text that is JSON already.
  Writer& raw(std::string_view json);
  Writer& value(View view);
  /// A member: key, then value.
  Writer& member(std::string_view name, std::string_view text) { return key(name).string(text); }
  Writer& member(std::string_view name, const char* text) { return key(name).string(text); }
  Writer& member(std::string_view name, const std::string& text) { return key(name).string(text); }
  Writer& member(std::string_view name, bool value) { return key(name).boolean(value); }
  Writer& member(std::string_view name, View view) { return key(name).value(view); }
  template <class Integer>
  requires(std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>) Writer& member(std::string_view name,
                                                                                         Integer value) {
    return key(name).integer(static_cast<std::int64_t>(value));
  }
  Writer& raw_member(std::string_view name, std::string_view json) { return key(name).raw(json); }

 private:
  void separate();
  std::string& out_;
  bool need_comma_ = false;
};

/// Appends `text` with JSON's shortest escapes and quotes around it.
BACKPLANE_API void append_quoted(std::string& out, std::string_view text);
BACKPLANE_API std::string quoted(std::string_view text);

/// The raw text of a top-level member of an object, or nothing. For text that this server wrote or has validated
/// (canonical JSON, stored events): it scans and does not check, and keys must need no unescaping.
BACKPLANE_API std::optional<std::string_view> find_raw(std::string_view object, std::string_view key);
/// The string that a raw value stands for; nothing when it is no string.
BACKPLANE_API std::optional<std::string> unquote(std::string_view raw);
/// find_raw and unquote: nothing when there is no such member or it is no string.
BACKPLANE_API std::optional<std::string> find_raw_string(std::string_view object, std::string_view key);

/// JSON text that is carried, not looked into. Empty stands for "absent".
struct Raw {
  std::string text;
  bool empty() const { return text.empty(); }
  bool operator==(const Raw&) const = default;
};

}  // namespace backplane::json
