#include "accounts/login_limits.h"

namespace backplane::user_api {
namespace {
constexpr Duration window = std::chrono::minutes(5);
constexpr std::size_t max_counts = 100'000;
}  // namespace

Result<void> LoginLimits::check(const std::string& localpart, const std::string& address) {
  if (failures_ == 0) return {};
  const std::lock_guard lock(mutex_);
  BACKPLANE_CHECK(check_key("@" + localpart));
  return address.empty() ? Result<void>() : check_key(address);
}

Result<void> LoginLimits::check_key(const std::string& key) {
  const auto it = counts_.find(key);
  if (it == counts_.end()) return {};
  const Duration left = it->second.since + window - clock_.now();
  if (left <= Duration::zero()) {
    counts_.erase(it);
    return {};
  }
  if (it->second.failures < failures_) return {};
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(left).count();
  return unavailable("limit_exceeded", "too many wrong passwords; try again later")
      .with_json("retry_after_ms", std::to_string(ms));
}

void LoginLimits::failed(const std::string& localpart, const std::string& address) {
  if (failures_ == 0) return;
  const std::lock_guard lock(mutex_);
  count("@" + localpart);
  if (!address.empty()) count(address);
}

void LoginLimits::count(const std::string& key) {
  const Instant now = clock_.now();
  if (counts_.size() >= max_counts) {
    std::erase_if(counts_, [&](const auto& entry) { return entry.second.since + window <= now; });
    if (counts_.size() >= max_counts) counts_.erase(counts_.begin());
  }
  Count& c = counts_[key];
  if (c.failures == 0 || c.since + window <= now) c = {0, now};
  ++c.failures;
}

void LoginLimits::succeeded(const std::string& localpart) {
  const std::lock_guard lock(mutex_);
  counts_.erase("@" + localpart);
}

}  // namespace backplane::user_api
