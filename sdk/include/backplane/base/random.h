// The one source of randomness (libsodium's generator behind it; a seeded one in tests). Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "backplane/base/export.h"

namespace backplane {

class BACKPLANE_API Random {
 public:
  virtual ~Random();
  virtual void fill(std::span<std::byte> bytes) = 0;
  /// A number below `bound` (which is not 0), each equally likely.
  std::uint64_t below(std::uint64_t bound);
  /// `length` characters, each drawn from `alphabet`.
  std::string text(std::size_t length,
                   std::string_view alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
};

/// Cryptographically strong, seeded by the system.
BACKPLANE_API Random& system_random();

}  // namespace backplane
