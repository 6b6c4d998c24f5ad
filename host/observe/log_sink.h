// Where the process's log lines go: standard error or a file, through spdlog (without its registry, which is a mutable
// static). Made first and destroyed last.
//
// Any thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "backplane/base/clock.h"
#include "backplane/base/logger.h"
#include "backplane/base/result.h"

namespace backplane::host {

struct LogSinkOptions {
  bool json = false;
  std::string file;  ///< empty: standard error
};

class SpdlogSink final : public LogSink {
 public:
  /// Errors: unavailable/cannot_log, naming the file and what to do.
  static Result<std::unique_ptr<SpdlogSink>> open(LogSinkOptions options, Clock& clock);
  ~SpdlogSink() override;

  void write(LogLevel level, std::string_view component, std::string_view event, const LogField* fields,
             std::size_t count) override;
  /// Opens the file again, after it was moved away (SIGHUP). On an error it goes on with the old one.
  Result<void> reopen();
  void flush();

 private:
  struct Output;
  SpdlogSink(LogSinkOptions options, Clock& clock);
  std::shared_ptr<Output> output() const;

  const LogSinkOptions options_;
  Clock& clock_;
  mutable std::mutex mutex_;  ///< of the pointer only
  std::shared_ptr<Output> output_;
};

/// The levels of components. They are shared with the loggers, which ask at every line, so a change counts at once.
/// Lives as long as the loggers.
class LogLevels {
 public:
  explicit LogLevels(LogLevel level) : default_(level) {}
  /// Of a component that has a level of its own, else of all.
  const std::atomic<LogLevel>& level_of(std::string_view component);
  /// Of every component that has no level of its own.
  void set_default(LogLevel level);
  void set(std::string_view component, LogLevel level);

 private:
  struct Entry {
    std::atomic<LogLevel> level;
    bool own = false;
  };
  std::mutex mutex_;
  LogLevel default_;
  std::map<std::string, std::unique_ptr<Entry>, std::less<>> entries_;
  Entry& entry(std::string_view component);
};

}  // namespace backplane::host
