// The one source of time. Nothing in a plugin asks the system for it, so that a test can run a day in a second.
// All methods may be called from any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "backplane/base/export.h"

namespace backplane {

using Duration = std::chrono::nanoseconds;
/// Monotonic time, for deadlines and measuring.
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;

class BACKPLANE_API Clock {
 public:
  virtual ~Clock();
  /// Milliseconds since the Unix epoch, as `origin_server_ts` counts them.
  virtual std::int64_t wall_ms() const = 0;
  virtual Instant now() const = 0;
  /// Waits until notified or until the instant has come. Spurious returns are possible: wait in a loop.
  virtual void wait_until(std::condition_variable& condition, std::unique_lock<std::mutex>& lock, Instant until) = 0;

  /// Waits until predicate() holds or the instant has come; answers what predicate() says then.
  template <class Predicate>
  bool wait_until(std::condition_variable& condition, std::unique_lock<std::mutex>& lock, Instant until,
                  Predicate predicate) {
    while (!predicate()) {
      if (now() >= until) return predicate();
      wait_until(condition, lock, until);
    }
    return true;
  }
};

/// The system's time.
BACKPLANE_API Clock& system_clock();

}  // namespace backplane
