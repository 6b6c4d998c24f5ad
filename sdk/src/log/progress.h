// How far a runner has come, and those who wait for it to come further. Any thread; asking for what has been passed
// already costs one atomic load.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>

#include "backplane/base/clock.h"
#include "backplane/log/position.h"

namespace backplane::log {

class Progress {
 public:
  explicit Progress(Clock& clock) : clock_(clock) {}

  Positions get() const;
  /// Every lane's base, without a lock.
  std::uint64_t base() const { return base_.load(std::memory_order_acquire); }
  /// Forward only.
  void advance(const Positions& positions);
  /// Anywhere: where a runner begins, or begins again.
  void reset(const Positions& positions);
  /// False when the deadline came first, or close().
  bool wait_for(const Positions& positions, Instant deadline);
  /// Ends every wait, now and later.
  void close();

 private:
  void changed(std::unique_lock<std::mutex>& lock);
  Clock& clock_;
  std::atomic<std::uint64_t> base_{0};
  mutable std::mutex mutex_;
  std::condition_variable moved_;
  Positions positions_;
  std::size_t waiters_ = 0;
  bool closed_ = false;
};

}  // namespace backplane::log
