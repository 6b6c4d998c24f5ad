// A piece of config as it was written, before anybody knows its type: texts, lists and maps, each with the place that
// it comes from. The layers of config are merged in this form, so that every fault can name file and line, and no
// type of the YAML library gets further than its reader. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/config/fault.h"

namespace backplane::host {

/// Where something was written.
struct Source {
  std::string file;  ///< a path, or `environment variable X`
  int line = 0;      ///< from 1; 0 for what has no lines
};

struct Setting {
  enum class Kind : std::uint8_t { none, scalar, list, map };

  Kind kind = Kind::none;
  std::string key;                ///< in the map that it is a member of
  std::string text;               ///< of a scalar
  std::vector<Setting> children;  ///< of a list or map, in the order of the file
  Source source;                  ///< of the key, where there is one
  bool from_environment = false;  ///< a list or map may be there as text

  bool is_map() const { return kind == Kind::map; }
  bool is_list() const { return kind == Kind::list; }
  bool is_scalar() const { return kind == Kind::scalar; }
  /// The member of a map; nullptr when there is none.
  const Setting* find(std::string_view name) const;
  Setting* find(std::string_view name);
  /// The member, made (of kind none) when there is none. A setting that is no map becomes one.
  Setting& member(std::string_view name, const Source& where);
};

/// `a text`, `a list`, `a map`, `nothing`: what a fault says was found.
std::string_view to_string(Setting::Kind kind);
/// What `path` (`storage.engine`) leads to; nullptr when it is not set.
const Setting* find_path(const Setting& root, std::string_view path);
/// Lays one layer over another: maps member by member, all else replaced. A key without a value changes nothing.
void overlay(Setting& base, Setting&& upper);
/// The fault of that place.
Fault fault_at(const Source& where, std::string what, std::string detail, std::string fix);

}  // namespace backplane::host
