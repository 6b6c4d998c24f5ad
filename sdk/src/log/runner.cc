#include "log/runner.h"

namespace backplane::log {

void Runner::start() {
  if (feed_ == nullptr) return;
  prepare();
  ended_ = false;
  thread_.start((group_.empty() ? "tail " : "log ") + topic_, [this] {
    run();
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  });
}

void Runner::request_stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  progress_.close();
  if (feed_ != nullptr) feed_->interrupt();
}

bool Runner::wait_stopped(Instant deadline) {
  std::unique_lock lock(mutex_);
  return clock_.wait_until(changed_, lock, deadline, [this] { return ended_; });
}

void Runner::stop() {
  request_stop();
  thread_.join();
}

bool Runner::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

bool Runner::pause(Duration time) {
  std::unique_lock lock(mutex_);
  return !clock_.wait_until(changed_, lock, clock_.now() + time, [this] { return stopping_; });
}

void Runner::linger(Duration time) {
  std::unique_lock lock(mutex_);
  clock_.wait_until(changed_, lock, clock_.now() + time, [this] { return stopping_ || hurried_ > 0; });
}

void Runner::hurry(int change) {
  const std::lock_guard lock(mutex_);
  hurried_ += change;
  if (change > 0) changed_.notify_all();
}

}  // namespace backplane::log
