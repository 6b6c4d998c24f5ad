// Structured logs: an event in a few words and a list of fields. Where they go and in which format is the host's
// business. Any thread. A disabled level costs one load.
#pragma once

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

#include "backplane/base/export.h"

namespace backplane {

enum class LogLevel : std::uint8_t { trace, debug, info, warning, error, off };

BACKPLANE_API std::string_view to_string(LogLevel level);

/// A named value in a log line. Lives only for the call that it is an argument of.
struct LogField {
  enum class Kind : std::uint8_t { text, integer, real, boolean };
  std::string_view name;
  Kind kind = Kind::text;
  std::string_view text{};
  std::int64_t integer = 0;
  double real = 0;

  LogField(std::string_view n, std::string_view v) : name(n), text(v) {}
  LogField(std::string_view n, const std::string& v) : name(n), text(v) {}
  LogField(std::string_view n, const char* v) : name(n), text(v) {}
  LogField(std::string_view n, bool v) : name(n), kind(Kind::boolean), integer(v) {}
  LogField(std::string_view n, double v) : name(n), kind(Kind::real), real(v) {}
  template <class Integer>
  requires std::is_integral_v<Integer> LogField(std::string_view n, Integer v)
      : name(n), kind(Kind::integer), integer(static_cast<std::int64_t>(v)) {}
};

/// Where log lines go. Implemented by the host and by tests.
class BACKPLANE_API LogSink {
 public:
  virtual ~LogSink();
  virtual void write(LogLevel level, std::string_view component, std::string_view event, const LogField* fields,
                     std::size_t count) = 0;
};

/// A component's face to the sink; cheap to copy. The sink and the level outlive it.
class Logger {
 public:
  Logger(LogSink& sink, const std::atomic<LogLevel>& level, std::string component)
      : sink_(&sink), level_(&level), component_(std::move(component)) {}
  using Fields = std::initializer_list<LogField>;
  bool enabled(LogLevel level) const { return level >= level_->load(std::memory_order_relaxed); }
  /// `event` is a short sentence without values ("rejected event"); values are fields.
  void log(LogLevel level, std::string_view event, Fields fields = {}) const {
    if (enabled(level)) sink_->write(level, component_, event, fields.begin(), fields.size());
  }
  void trace(std::string_view event, Fields fields = {}) const { log(LogLevel::trace, event, fields); }
  void debug(std::string_view event, Fields fields = {}) const { log(LogLevel::debug, event, fields); }
  void info(std::string_view event, Fields fields = {}) const { log(LogLevel::info, event, fields); }
  void warning(std::string_view event, Fields fields = {}) const { log(LogLevel::warning, event, fields); }
  void error(std::string_view event, Fields fields = {}) const { log(LogLevel::error, event, fields); }
  const std::string& component() const { return component_; }
  /// The same sink and level, for a part of the component (`room_server.lane`).
  Logger part(std::string_view name) const { return {*sink_, *level_, component_ + "." + std::string(name)}; }

 private:
  LogSink* sink_;
  const std::atomic<LogLevel>* level_;
  std::string component_;
};

}  // namespace backplane
