// How options are written as text, the same in manifests, in config files, in the environment and in the option docs:
// durations as `250ms`, `30s`, `5m`, `12h`, `7d`; counts of bytes as `4096`, `64KiB`, `10MB`; booleans as true or
// false. Used by the manifest's reader, by the host's config and by what prints options. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "backplane/base/clock.h"
#include "backplane/base/export.h"
#include "backplane/base/result.h"
#include "backplane/plugin/manifest.h"

namespace backplane::plugin {

/// A whole number and its unit (ns, us, ms, s, m, h, d), or `0`.
BACKPLANE_API std::optional<Duration> parse_duration(std::string_view text);
/// In the largest unit that divides it: `90s`, `2m`.
BACKPLANE_API std::string format_duration(Duration duration);
/// A whole number and perhaps a unit: B, kB, MB, GB (powers of 1000), KiB, MiB, GiB (powers of 1024).
BACKPLANE_API std::optional<std::int64_t> parse_bytes(std::string_view text);
/// In the largest unit of 1024 that divides it: `64KiB`.
BACKPLANE_API std::string format_bytes(std::int64_t bytes);

/// What the option accepts, as it reads after "expected": `a whole number from 1 to 100`.
BACKPLANE_API std::string describe(const OptionSpec& option);
/// The value that a text stands for. Not for lists. Errors: invalid, with a text like
/// `expected a duration such as 30s, 5m or 7d, found 'soon'`; the value of a secret is not repeated.
BACKPLANE_API Result<OptionValue> parse_value(const OptionSpec& option, std::string_view text);
/// Whether the value has the option's type and is in its range. Errors: as parse_value.
BACKPLANE_API Result<void> check_value(const OptionSpec& option, const OptionValue& value);
/// The text that parse_value reads back; a list, which it does not read, as `[a, b]`.
BACKPLANE_API std::string format_value(OptionType type, const OptionValue& value);

}  // namespace backplane::plugin
