#include "backplane/base/random.h"

#include <sodium.h>

#include <array>
#include <cstdlib>

namespace backplane {
namespace {

class SystemRandom final : public Random {
 public:
  SystemRandom() {
    // The generator must be set up before threads share it; without a source of randomness nothing secure can be done.
    if (sodium_init() < 0) std::abort();
  }
  void fill(std::span<std::byte> bytes) override { randombytes_buf(bytes.data(), bytes.size()); }
};

}  // namespace

Random::~Random() = default;

std::uint64_t Random::below(std::uint64_t bound) {
  // The lowest 2^64 mod bound values are drawn again: what is left is a whole multiple of bound.
  const std::uint64_t threshold = (0 - bound) % bound;
  for (;;) {
    std::uint64_t value = 0;
    fill(std::as_writable_bytes(std::span(&value, 1)));
    if (value >= threshold) return value % bound;
  }
}

std::string Random::text(std::size_t length, std::string_view alphabet) {
  std::string out;
  out.reserve(length);
  if (alphabet.empty() || alphabet.size() > 256) return out;
  const std::size_t limit = 256 - 256 % alphabet.size();  // bytes from here on would favour the first characters
  std::array<std::byte, 64> bytes;
  while (out.size() < length) {
    fill(bytes);
    for (const std::byte b : bytes) {
      const auto value = std::to_integer<std::size_t>(b);
      if (value < limit && out.size() < length) out += alphabet[value % alphabet.size()];
    }
  }
  return out;
}

Random& system_random() {
  static SystemRandom random;  // a process facility without state of its own
  return random;
}

}  // namespace backplane
