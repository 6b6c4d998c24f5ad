// Keeps one client from using up the server: a bucket of tokens for each (class of request, client), refilled at the
// configured rate. A bucket is one instant (when it would be full again), so that a hundred thousand clients cost a few
// megabytes, and full buckets are forgotten.
//
// Any thread; split by key into shards, each with a lock of its own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "backplane/base/clock.h"
#include "backplane/http/routes.h"

namespace backplane::host {

struct RateLimit {
  double per_second = 0;  ///< 0: no limit
  double burst = 1;       ///< so many at once; at least 1
};

struct RateLimits {
  RateLimit read{100, 500};
  RateLimit write{20, 100};
  RateLimit login{0.5, 10};
  RateLimit registration{0.2, 5};
};

class RateLimiter {
 public:
  explicit RateLimiter(const RateLimits& limits, std::size_t max_buckets = 128 * 1024);

  /// Takes a token; answers zero, or how long to wait for the next one.
  Duration take(http::RateClass rate, std::string_view key, Instant now);
  /// From now on; buckets are kept.
  void set_limits(const RateLimits& limits);
  std::size_t buckets() const;

 private:
  struct Shard {
    mutable std::mutex mutex;
    RateLimits limits;
    std::unordered_map<std::string, Instant> full_at;
  };
  static void make_room(Shard& shard, std::size_t most, Instant now);

  std::array<Shard, 16> shards_;
  const std::size_t max_per_shard_;
};

}  // namespace backplane::host
