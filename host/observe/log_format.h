// How a log line looks, as text for people and as JSON for collectors. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "backplane/base/logger.h"

namespace backplane::host {

struct LogLine {
  std::int64_t wall_ms;
  LogLevel level;
  std::string_view component;
  std::string_view event;
  const LogField* fields;
  std::size_t count;
};

/// `2026-11-22T17:00:00.123Z info  room_server: rejected event event_id=$x rule="4.3 b"`; values with spaces, quotes,
/// equals signs or control characters, and empty ones, are quoted as JSON strings: a line is always one line.
std::string format_text(const LogLine& line);
/// One object: time, level, component, event, then the fields; a field with one of these names gets a `_` behind it.
std::string format_json(const LogLine& line);

}  // namespace backplane::host
