#include "backplane/base/gate.h"

namespace backplane {

Gate::Entry Gate::enter() {
  const std::lock_guard lock(mutex_);
  if (closed_) return {};
  ++inside_;
  return Entry(this);
}

void Gate::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

bool Gate::close_and_wait(Clock& clock, Instant deadline) {
  std::unique_lock lock(mutex_);
  closed_ = true;
  return clock.wait_until(empty_, lock, deadline, [this] { return inside_ == 0; });
}

bool Gate::is_closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

std::size_t Gate::inside() const {
  const std::lock_guard lock(mutex_);
  return inside_;
}

void Gate::leave() {
  // Notified under the lock: the waiter may destroy the gate as soon as it gets the mutex.
  const std::lock_guard lock(mutex_);
  if (--inside_ == 0) empty_.notify_all();
}

}  // namespace backplane
