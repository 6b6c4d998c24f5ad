#include "backplane/base/clock.h"

namespace backplane {
namespace {

class SystemClock final : public Clock {
 public:
  using Clock::wait_until;
  std::int64_t wall_ms() const override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  Instant now() const override { return std::chrono::steady_clock::now(); }
  void wait_until(std::condition_variable& condition, std::unique_lock<std::mutex>& lock, Instant until) override {
    condition.wait_until(lock, until);
  }
};

}  // namespace

Clock::~Clock() = default;

Clock& system_clock() {
  static SystemClock clock;  // a process facility without state
  return clock;
}

}  // namespace backplane
