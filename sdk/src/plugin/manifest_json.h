// Strict reading of a manifest's JSON: every member must be known, present unless it may be absent, and of its type.
// What is wrong is thrown as Malformed with the JSON pointer of the member, and caught in parse_manifest.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/result.h"

namespace backplane::plugin {

struct Malformed {
  std::string pointer;
  std::string what;
};

/// Parses the text; errors for what is no JSON and for an object that has a member twice.
Result<nlohmann::json> parse_strict_json(std::string_view text);

/// A value and the pointer to it. Lives as long as the document.
class ManifestNode {
 public:
  ManifestNode(const nlohmann::json& value, std::string pointer) : value_(value), pointer_(std::move(pointer)) {}

  const nlohmann::json& json() const { return value_; }
  bool is_string() const { return value_.is_string(); }
  [[noreturn]] void fail(std::string what) const { throw Malformed{pointer_, std::move(what)}; }
  /// This must be an object with no members but these.
  void expect_members(std::initializer_list<std::string_view> known) const;
  bool has(std::string_view name) const { return value_.contains(name); }
  ManifestNode member(std::string_view name) const;
  std::vector<ManifestNode> elements() const;

  std::string text() const;  ///< a string that is not empty
  std::int64_t integer() const;
  bool boolean() const;
  std::string one_of(std::initializer_list<std::string_view> words) const;
  std::vector<std::string> texts() const;

  std::string text(std::string_view name) const { return member(name).text(); }
  /// Also of an empty string, where nothing to say is an answer.
  std::string text_or_empty(std::string_view name) const;
  bool boolean_or(std::string_view name, bool other) const { return has(name) ? member(name).boolean() : other; }
  std::vector<ManifestNode> elements_or_none(std::string_view name) const;

 private:
  [[noreturn]] void expected(std::string_view what) const;
  const nlohmann::json& value_;
  std::string pointer_;
};

}  // namespace backplane::plugin
