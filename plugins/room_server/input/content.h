// The content of an event while it is put together: members by name, each as canonical JSON. Values.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "backplane/base/json.h"
#include "backplane/base/result.h"

namespace backplane::room_server {

class Content {
 public:
  Content() = default;
  /// What a client sent; empty stands for an empty object. Errors: invalid/bad_json when it is no object or has
  /// numbers that events may not have.
  static Result<Content> parse(const json::Raw& text);
  /// Trusted text.
  static Content parse_canonical(std::string_view object);

  Content& set_raw(std::string_view name, std::string json) {
    members_.insert_or_assign(std::string(name), std::move(json));
    return *this;
  }
  Content& set(std::string_view name, std::string_view text) { return set_raw(name, json::quoted(text)); }
  Content& set_optional(std::string_view name, const std::optional<std::string>& text) {
    return text ? set(name, *text) : *this;
  }
  /// Every member of the other, in place of what is here.
  Content& merge(const Content& other);
  void remove(std::string_view name);
  bool has(std::string_view name) const { return members_.find(name) != members_.end(); }
  /// JSON, or nothing.
  std::optional<std::string_view> find_raw(std::string_view name) const;
  std::optional<std::string> find_string(std::string_view name) const;

  std::string canonical() const;

 private:
  std::map<std::string, std::string, std::less<>> members_;
};

/// A client's content as canonical JSON. Errors as Content::parse.
Result<std::string> canonical_event_content(const json::Raw& text);

}  // namespace backplane::room_server
