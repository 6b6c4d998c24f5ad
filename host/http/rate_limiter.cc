#include "host/http/rate_limiter.h"

#include <algorithm>

namespace backplane::host {
namespace {

const RateLimit* limit_of(const RateLimits& limits, http::RateClass rate) {
  switch (rate) {
    case http::RateClass::none: return nullptr;
    case http::RateClass::read: return &limits.read;
    case http::RateClass::write: return &limits.write;
    case http::RateClass::login: return &limits.login;
    case http::RateClass::registration: return &limits.registration;
  }
  return nullptr;
}

Duration seconds(double count) { return Duration(static_cast<std::int64_t>(std::min(count, 1e9) * 1e9)); }

}  // namespace

RateLimiter::RateLimiter(const RateLimits& limits, std::size_t max_buckets)
    : max_per_shard_(std::max<std::size_t>(max_buckets / 16, 1)) {
  set_limits(limits);
}

void RateLimiter::set_limits(const RateLimits& limits) {
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    shard.limits = limits;
  }
}

Duration RateLimiter::take(http::RateClass rate, std::string_view key, Instant now) {
  if (rate == http::RateClass::none) return Duration::zero();
  std::string name;
  name.reserve(key.size() + 1);
  name += static_cast<char>(rate);
  name += key;
  Shard& shard = shards_[std::hash<std::string>{}(name) % shards_.size()];
  const std::lock_guard lock(shard.mutex);
  const RateLimit* const limit = limit_of(shard.limits, rate);
  if (limit == nullptr || limit->per_second <= 0) return Duration::zero();
  const Duration token = seconds(1 / limit->per_second);
  const Duration whole = seconds(std::max(limit->burst, 1.0) / limit->per_second);
  if (shard.full_at.size() >= max_per_shard_) make_room(shard, max_per_shard_, now);
  const auto [it, added] = shard.full_at.try_emplace(std::move(name), now);
  Instant& full_at = it->second;
  full_at = std::max(full_at, now);
  // A bucket that is full again in `whole` or more has no token left.
  const Duration wait = full_at + token - now - whole;
  if (wait > Duration::zero()) return wait;
  full_at += token;
  return Duration::zero();
}

void RateLimiter::make_room(Shard& shard, std::size_t most, Instant now) {
  std::erase_if(shard.full_at, [now](const auto& bucket) { return bucket.second <= now; });
  // Somebody who has so many addresses can get round the limit in any case: forget some, a part at a time.
  auto it = shard.full_at.begin();
  while (it != shard.full_at.end() && shard.full_at.size() >= most - most / 8) it = shard.full_at.erase(it);
}

std::size_t RateLimiter::buckets() const {
  std::size_t sum = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    sum += shard.full_at.size();
  }
  return sum;
}

}  // namespace backplane::host
