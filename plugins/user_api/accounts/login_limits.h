// Slows down those who guess passwords: an account, or an address, that gave too many wrong ones has to wait. Counts
// are kept here, and not per tier-1 host, so that more hosts are not more guesses. Any thread; bounded in size.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "backplane/base/clock.h"
#include "backplane/base/result.h"

namespace backplane::user_api {

class LoginLimits {
 public:
  /// `failures` in five minutes are allowed; 0: any number.
  LoginLimits(Clock& clock, std::int64_t failures) : clock_(clock), failures_(failures) {}
  /// Errors: unavailable/limit_exceeded with retry_after_ms.
  Result<void> check(const std::string& localpart, const std::string& address);
  void failed(const std::string& localpart, const std::string& address);
  void succeeded(const std::string& localpart);

 private:
  struct Count {
    std::int64_t failures = 0;
    Instant since{};
  };
  Result<void> check_key(const std::string& key);
  void count(const std::string& key);
  Clock& clock_;
  const std::int64_t failures_;
  std::mutex mutex_;
  std::unordered_map<std::string, Count> counts_;
};

}  // namespace backplane::user_api
