#include "log/progress.h"

namespace backplane::log {

Positions Progress::get() const {
  const std::lock_guard lock(mutex_);
  return positions_;
}

void Progress::advance(const Positions& positions) {
  std::unique_lock lock(mutex_);
  positions_.merge(positions);
  changed(lock);
}

void Progress::reset(const Positions& positions) {
  std::unique_lock lock(mutex_);
  positions_ = positions;
  changed(lock);
}

void Progress::changed(std::unique_lock<std::mutex>& lock) {
  base_.store(positions_.base(), std::memory_order_release);
  const bool wake = waiters_ != 0;
  lock.unlock();
  if (wake) moved_.notify_all();
}

bool Progress::wait_for(const Positions& positions, Instant deadline) {
  if (positions.highest() <= base()) return true;
  std::unique_lock lock(mutex_);
  if (positions_.covers(positions)) return true;
  ++waiters_;
  const bool reached =
      clock_.wait_until(moved_, lock, deadline, [&] { return closed_ || positions_.covers(positions); });
  --waiters_;
  return reached && positions_.covers(positions);
}

void Progress::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  moved_.notify_all();
}

}  // namespace backplane::log
