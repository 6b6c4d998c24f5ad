// A plugin's options, as config and environment set them and its manifest describes them: every option of the
// manifest is there, with its default where nothing was set, checked against its type and range. Immutable.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "backplane/base/clock.h"
#include "backplane/base/export.h"

namespace backplane::plugin {

enum class OptionType : std::uint8_t {
  boolean,
  integer,
  string,
  enumeration,
  duration,
  bytes,
  path,
  url,
  secret,
  list
};
BACKPLANE_API std::string_view to_string(OptionType type);

/// bool; integer, bytes (a count) and duration (nanoseconds); every kind of text; list of text.
using OptionValue = std::variant<bool, std::int64_t, std::string, std::vector<std::string>>;

class BACKPLANE_API Options {
 public:
  Options() = default;
  explicit Options(std::map<std::string, OptionValue, std::less<>> values) : values_(std::move(values)) {}
  /// These throw std::logic_error for a name or type that the manifest does not have: a fault of the plugin.
  bool boolean(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;
  /// string, enumeration, path, url, secret.
  const std::string& text(std::string_view name) const;
  Duration duration(std::string_view name) const;
  const std::vector<std::string>& list(std::string_view name) const;
  const std::map<std::string, OptionValue, std::less<>>& values() const { return values_; }

 private:
  const OptionValue& get(std::string_view name) const;
  std::map<std::string, OptionValue, std::less<>> values_;
};

}  // namespace backplane::plugin
