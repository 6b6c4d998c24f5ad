#include <chrono>
#include <cstddef>

#include "backplane/testing/fake_host.h"

namespace backplane::testing {

FakeClock::FakeClock() = default;
FakeClock::~FakeClock() = default;

void FakeClock::wait_until(std::condition_variable& condition, std::unique_lock<std::mutex>& lock, Instant until) {
  // Whoever moves the clock does not know who waits: look again now and then.
  if (now() < until) condition.wait_for(lock, std::chrono::milliseconds(5));
}

void FakeClock::advance(Duration duration) {
  now_ns_ += duration.count();
  wall_ms_ += std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

FakeRandom::FakeRandom(std::uint64_t seed) : state_(seed) {}
FakeRandom::~FakeRandom() = default;

void FakeRandom::fill(std::span<std::byte> bytes) {
  const std::lock_guard lock(mutex_);
  // SplitMix64.
  for (std::byte& byte : bytes) {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    byte = static_cast<std::byte>(z >> 56);
  }
}

}  // namespace backplane::testing
