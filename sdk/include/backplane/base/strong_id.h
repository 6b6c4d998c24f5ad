// Identifiers as types of their own, so that a room's id cannot be passed where a user's is meant.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>

namespace backplane {

/// A string with a meaning. `Tag` is any type that names it; what is well-formed is for parse functions to say.
template <class Tag>
class StrongId {
 public:
  StrongId() = default;
  explicit StrongId(std::string text) : text_(std::move(text)) {}
  const std::string& str() const { return text_; }
  std::string_view view() const { return text_; }
  bool empty() const { return text_.empty(); }
  auto operator<=>(const StrongId&) const = default;
  bool operator==(const StrongId&) const = default;

 private:
  std::string text_;
};

struct RequestIdTag;
/// Names one request in logs, across hosts.
using RequestId = StrongId<RequestIdTag>;

}  // namespace backplane

template <class Tag>
struct std::hash<backplane::StrongId<Tag>> {
  std::size_t operator()(const backplane::StrongId<Tag>& id) const noexcept {
    return std::hash<std::string_view>{}(id.view());
  }
};
