#include "host/config/setting.h"

#include <algorithm>
#include <utility>

namespace backplane::host {

const Setting* Setting::find(std::string_view name) const {
  if (kind != Kind::map) return nullptr;
  const auto found = std::ranges::find(children, name, &Setting::key);
  return found == children.end() ? nullptr : &*found;
}

Setting* Setting::find(std::string_view name) { return const_cast<Setting*>(std::as_const(*this).find(name)); }

Setting& Setting::member(std::string_view name, const Source& where) {
  if (Setting* found = find(name)) return *found;
  if (kind != Kind::map) {
    kind = Kind::map;
    text.clear();
    children.clear();
    source = where;
  }
  Setting& made = children.emplace_back();
  made.key = name;
  made.source = where;
  return made;
}

std::string_view to_string(Setting::Kind kind) {
  switch (kind) {
    case Setting::Kind::none: return "nothing";
    case Setting::Kind::scalar: return "a text";
    case Setting::Kind::list: return "a list";
    case Setting::Kind::map: return "a map";
  }
  return "?";
}

const Setting* find_path(const Setting& root, std::string_view path) {
  const Setting* at = &root;
  while (at != nullptr && !path.empty()) {
    const auto dot = std::min(path.find('.'), path.size());
    at = at->find(path.substr(0, dot));
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return at;
}

void overlay(Setting& base, Setting&& upper) {
  if (upper.kind == Setting::Kind::none) return;
  if (!base.is_map() || !upper.is_map()) {
    std::string key = std::move(base.key);
    base = std::move(upper);
    base.key = std::move(key);
    return;
  }
  for (Setting& child : upper.children) {
    if (Setting* there = base.find(child.key)) overlay(*there, std::move(child));
    else base.children.push_back(std::move(child));
  }
}

Fault fault_at(const Source& where, std::string what, std::string detail, std::string fix) {
  return {std::move(what), std::move(detail), std::move(fix), where.file, where.line};
}

}  // namespace backplane::host
