// Homes of the base interfaces' vtables, and the names of log levels.
#include <array>

#include "backplane/base/executor.h"
#include "backplane/base/logger.h"
#include "backplane/base/metrics.h"

namespace backplane {

Executor::~Executor() = default;
LogSink::~LogSink() = default;
Metrics::~Metrics() = default;

std::string_view to_string(LogLevel level) {
  constexpr std::array<std::string_view, 6> names{"trace", "debug", "info", "warning", "error", "off"};
  const auto index = static_cast<std::size_t>(level);
  return index < names.size() ? names[index] : names.back();
}

}  // namespace backplane
