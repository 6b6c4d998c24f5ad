// Password hashes: argon2id by libsodium, made on the CPU executor so that a burst of log-ins does not take every
// worker thread. Any thread; a call waits for its turn.
#pragma once

#include <cstddef>
#include <string>

#include "backplane/base/executor.h"
#include "backplane/base/result.h"

namespace backplane::user_api {

struct PasswordCost {
  std::size_t memory_bytes = 64 << 20;
  unsigned passes = 2;
};

class Passwords {
 public:
  Passwords(Executor& executor, PasswordCost cost) : executor_(executor), cost_(cost) {}
  /// Errors: unavailable when too many wait already, or memory is short.
  Result<std::string> hash(const std::string& password);
  Result<bool> verify(const std::string& hash, const std::string& password);

 private:
  Executor& executor_;
  PasswordCost cost_;
};

}  // namespace backplane::user_api
