#include "host/config/environment.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "host/config/yaml_reader.h"

namespace backplane::host {
namespace {

constexpr std::string_view prefix = "BACKPLANE__";
constexpr std::size_t no_index = static_cast<std::size_t>(-1);

struct Variable {
  std::string name;
  std::string value;
  std::vector<std::string> parts;
};

std::size_t index_from(const std::string& part) {
  std::size_t index = no_index;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
  return error == std::errc() && end == part.data() + part.size() ? index : no_index;
}

std::vector<std::string> split(std::string_view name) {
  std::vector<std::string> parts;
  for (;;) {
    const auto end = std::min(name.find("__"), name.size());
    std::string& part = parts.emplace_back(name.substr(0, end));
    for (char& c : part)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (end == name.size()) return parts;
    name.remove_prefix(end + 2);
  }
}

/// Elements of lists in the order of their numbers (as text, 10 comes before 2), what is shorter first.
bool goes_before(const Variable& a, const Variable& b) {
  return std::ranges::lexicographical_compare(a.parts, b.parts, [](const std::string& x, const std::string& y) {
    const std::size_t i = index_from(x), j = index_from(y);
    return i != no_index && j != no_index ? i < j : x < y;
  });
}

/// The part's place below `at`, made if need be; nullptr after a fault.
Setting* step(Setting& at, const std::string& part, const Source& where, std::vector<Fault>& faults) {
  unfold(at, faults);
  const std::size_t index = index_from(part);
  if (index == no_index) return &at.member(part, where);
  if (at.kind == Setting::Kind::none) {
    at.kind = Setting::Kind::list;
    at.source = where;
  }
  if (at.is_list() && index <= at.children.size()) {
    if (index < at.children.size()) return &at.children[index];
    at.children.emplace_back().source = where;
    return &at.children.back();
  }
  const std::string found = at.is_list() ? "the list has length " + std::to_string(at.children.size())
                                         : "found " + std::string(to_string(at.kind)) + " in place of a list";
  faults.push_back(fault_at(where, "there is no element " + part, found, "elements are counted from 0, without gaps"));
  return nullptr;
}

}  // namespace

Environment process_environment() {
  Environment out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

void overlay_environment(Setting& root, const Environment& environment, std::vector<Fault>& faults) {
  std::vector<Variable> variables;
  for (const auto& [name, value] : environment)
    if (name.starts_with(prefix))
      variables.push_back({name, value, split(std::string_view(name).substr(prefix.size()))});
  std::ranges::stable_sort(variables, goes_before);
  for (const Variable& variable : variables) {
    const Source where{"environment variable " + variable.name, 0};
    if (std::ranges::find(variable.parts, std::string()) != variable.parts.end()) {
      faults.push_back(fault_at(where, "a variable's name with an empty part", "parts are separated by two underscores",
                                "write it like BACKPLANE__STORAGE__ENGINE"));
      continue;
    }
    Setting* at = &root;
    for (const std::string& part : variable.parts)
      if (at != nullptr) at = step(*at, part, where, faults);
    if (at == nullptr) continue;
    std::string key = std::move(at->key);
    *at = Setting{Setting::Kind::scalar, std::move(key), variable.value, {}, where, true};
  }
}

}  // namespace backplane::host
