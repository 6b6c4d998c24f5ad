#include "manifest_json.h"

#include <algorithm>
#include <set>

namespace backplane::plugin {

using nlohmann::json;

Result<json> parse_strict_json(std::string_view text) {
  std::vector<std::set<std::string>> keys_of_open_objects;
  std::string twice;
  const auto watch = [&](int, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::object_start) keys_of_open_objects.emplace_back();
    if (event == json::parse_event_t::object_end) keys_of_open_objects.pop_back();
    if (event == json::parse_event_t::key && twice.empty()) {
      const auto key = value.get<std::string>();
      if (!keys_of_open_objects.back().insert(key).second) twice = key;
    }
    return true;
  };
  try {
    json document = json::parse(text, watch);
    if (!twice.empty()) return invalid("bad_manifest", "member '" + twice + "' is there twice");
    return document;
  } catch (const json::parse_error& error) {
    const auto before = text.substr(0, error.byte == 0 ? 0 : error.byte - 1);
    return invalid("bad_manifest", "no JSON at line " + std::to_string(1 + std::ranges::count(before, '\n')));
  }
}

void ManifestNode::expected(std::string_view what) const {
  std::string found = value_.dump(-1, ' ', false, json::error_handler_t::replace);
  if (found.size() > 40) found = found.substr(0, 40) + "…";
  fail("expected " + std::string(what) + ", found " + found);
}

void ManifestNode::expect_members(std::initializer_list<std::string_view> known) const {
  if (!value_.is_object()) expected("an object");
  for (const auto& [name, value] : value_.items()) {
    if (std::ranges::find(known, std::string_view(name)) != known.end()) continue;
    std::string list;
    for (const auto word : known) list.append(list.empty() ? "" : ", ").append(word);
    throw Malformed{pointer_ + "/" + name, "no such member; expected one of " + list};
  }
}

ManifestNode ManifestNode::member(std::string_view name) const {
  const auto found = value_.find(name);
  if (found == value_.end()) throw Malformed{pointer_ + "/" + std::string(name), "is missing"};
  return {*found, pointer_ + "/" + std::string(name)};
}

std::vector<ManifestNode> ManifestNode::elements() const {
  if (!value_.is_array()) expected("an array");
  std::vector<ManifestNode> out;
  for (std::size_t i = 0; i < value_.size(); ++i) out.emplace_back(value_[i], pointer_ + "/" + std::to_string(i));
  return out;
}

std::vector<ManifestNode> ManifestNode::elements_or_none(std::string_view name) const {
  return has(name) ? member(name).elements() : std::vector<ManifestNode>();
}

std::string ManifestNode::text() const {
  if (!value_.is_string() || value_.get_ref<const std::string&>().empty()) expected("a string that is not empty");
  return value_.get<std::string>();
}

std::string ManifestNode::text_or_empty(std::string_view name) const {
  const auto found = value_.find(name);
  return found == value_.end() || *found == "" ? std::string() : text(name);
}

std::int64_t ManifestNode::integer() const {
  if (!value_.is_number_integer()) expected("a whole number");
  return value_.get<std::int64_t>();
}

bool ManifestNode::boolean() const {
  if (!value_.is_boolean()) expected("true or false");
  return value_.get<bool>();
}

std::string ManifestNode::one_of(std::initializer_list<std::string_view> words) const {
  if (value_.is_string())
    for (const auto word : words)
      if (word == value_.get_ref<const std::string&>()) return std::string(word);
  std::string list;
  for (const auto word : words) list.append(list.empty() ? "" : ", ").append(word);
  expected("one of " + list);
}

std::vector<std::string> ManifestNode::texts() const {
  std::vector<std::string> out;
  for (const auto& element : elements()) out.push_back(element.text());
  return out;
}

}  // namespace backplane::plugin
