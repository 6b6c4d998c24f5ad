// What the host's tests share: time that they move, a log that they can read.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "backplane/base/clock.h"
#include "backplane/base/logger.h"
#include "host/observe/log_format.h"

namespace backplane::host::test {

/// Stands still until advance() moves it.
class ManualClock final : public Clock {
 public:
  std::int64_t wall_ms() const override { return 1'795'366'800'123 + now().time_since_epoch().count() / 1'000'000; }
  Instant now() const override { return Instant(Duration(now_.load())); }
  void wait_until(std::condition_variable& condition, std::unique_lock<std::mutex>& lock, Instant) override {
    // A short real wait, then the caller looks at the time again: spurious returns are allowed.
    condition.wait_for(lock, std::chrono::milliseconds(1));
  }
  void advance(Duration by) { now_ += by.count(); }

 private:
  std::atomic<std::int64_t> now_{0};
};

/// Keeps lines as `level component: event fields`.
class RecordingSink final : public LogSink {
 public:
  void write(LogLevel level, std::string_view component, std::string_view event, const LogField* fields,
             std::size_t count) override {
    const std::lock_guard lock(mutex_);
    lines_.push_back(format_text({0, level, component, event, fields, count}).substr(25));
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  bool has(std::string_view part) const {
    for (const std::string& line : lines()) {
      if (line.find(part) != std::string::npos) return true;
    }
    return false;
  }
  Logger logger(std::string component) { return {*this, threshold, std::move(component)}; }

  std::atomic<LogLevel> threshold{LogLevel::debug};

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

/// Waits, at most ten seconds, until the condition holds; answers whether it does.
template <class Condition>
bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace backplane::host::test
