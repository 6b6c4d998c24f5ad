#include "input/content.h"

#include <utility>

#include "backplane/matrix/event_builder.h"
#include "backplane/matrix/room_version.h"

namespace backplane::room_server {
namespace {

Result<json::Document> parse_content(const json::Raw& text) {
  auto document = json::Document::parse(text.empty() ? std::string_view("{}") : std::string_view(text.text));
  if (!document) return std::move(document).error();
  if (!document->root().is_object()) return invalid("bad_json", "the content of an event must be an object");
  // Spec: room version 6, "Canonical JSON". What is made here keeps to it in older versions, too.
  if (!document->root().has_strict_numbers()) {
    return invalid("bad_json", "the content has a number that is not an integer within ±(2^53-1)");
  }
  return document;
}

}  // namespace

Result<Content> Content::parse(const json::Raw& text) {
  BACKPLANE_TRY(document, parse_content(text));
  Content out;
  for (const auto& [name, value] : document.root().members()) out.set_raw(name, value.canonical());
  return out;
}

Content Content::parse_canonical(std::string_view object) {
  Content out;
  if (auto document = json::Document::parse_object(object)) {
    for (const auto& [name, value] : document->root().members()) out.set_raw(name, value.canonical());
  }
  return out;
}

Content& Content::merge(const Content& other) {
  for (const auto& [name, json] : other.members_) members_.insert_or_assign(name, json);
  return *this;
}

void Content::remove(std::string_view name) {
  if (const auto it = members_.find(name); it != members_.end()) members_.erase(it);
}

std::optional<std::string_view> Content::find_raw(std::string_view name) const {
  const auto it = members_.find(name);
  if (it == members_.end()) return std::nullopt;
  return it->second;
}

std::optional<std::string> Content::find_string(std::string_view name) const {
  const auto raw = find_raw(name);
  return raw ? json::unquote(*raw) : std::nullopt;
}

std::string Content::canonical() const {
  std::string out = "{";
  for (const auto& [name, json] : members_) {
    if (out.size() > 1) out += ',';
    json::append_quoted(out, name);
    out += ':';
    out += json;
  }
  out += '}';
  return out;
}

Result<std::string> canonical_event_content(const json::Raw& text) {
  BACKPLANE_TRY(document, parse_content(text));
  return document.root().canonical();
}

}  // namespace backplane::room_server
