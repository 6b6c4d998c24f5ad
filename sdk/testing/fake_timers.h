// Timers that run when a test moves the clock, on its thread.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backplane/plugin/plugin.h"

namespace backplane::testing {

class FakeTimers final : public plugin::Timers {
 public:
  explicit FakeTimers(Clock& clock) : clock_(clock) {}
  plugin::TimerId at(Instant when, std::function<void()> work) override { return add({when, {}, std::move(work)}); }
  void cancel(plugin::TimerId timer) override {
    const std::lock_guard lock(mutex_);
    std::erase_if(timers_, [&](const Timer& t) { return t.id == timer; });
  }
  void every(std::string_view, Duration interval, std::function<void()> work) override {
    add({clock_.now() + interval, interval, std::move(work)});
  }

  /// Runs each that is due once, in the order of their instants.
  void run_due() {
    while (auto work = take_due(clock_.now())) (*work)();
  }
  /// Drops what has not begun, and takes no more, as a server does that stops.
  void drain() {
    std::vector<Timer> dropped;  // destroyed outside the lock
    const std::lock_guard lock(mutex_);
    draining_ = true;
    dropped.swap(timers_);
  }
  /// As new.
  void clear() {
    drain();
    const std::lock_guard lock(mutex_);
    draining_ = false;
  }

 private:
  struct Timer {
    Instant when;
    std::optional<Duration> interval;
    std::function<void()> work;
    plugin::TimerId id = 0;
  };

  plugin::TimerId add(Timer timer) {
    const std::lock_guard lock(mutex_);
    if (draining_) return 0;
    timer.id = ++last_;
    timers_.push_back(std::move(timer));
    return last_;
  }
  std::optional<std::function<void()>> take_due(Instant now) {
    const std::lock_guard lock(mutex_);
    auto next = timers_.end();
    for (auto it = timers_.begin(); it != timers_.end(); ++it) {
      if (it->when <= now && (next == timers_.end() || it->when < next->when)) next = it;
    }
    if (next == timers_.end()) return std::nullopt;
    std::function<void()> work = next->work;
    if (next->interval) next->when = now + *next->interval;
    else timers_.erase(next);
    return work;
  }

  Clock& clock_;
  std::mutex mutex_;
  std::vector<Timer> timers_;
  plugin::TimerId last_ = 0;
  bool draining_ = false;
};

}  // namespace backplane::testing
