#include "backplane/log/epoch.h"

#include <charconv>
#include <cstdint>

namespace backplane::log {
namespace {

std::optional<std::int64_t> began_ms(std::string_view epoch) {
  std::int64_t ms = 0;
  const char* const end = epoch.data() + epoch.size();
  const auto [stop, fault] = std::from_chars(epoch.data(), end, ms);
  if (fault != std::errc() || stop == end || *stop != '.') return std::nullopt;
  return ms;
}

}  // namespace

std::string new_epoch(Clock& clock, Random& random) {
  return std::to_string(clock.wall_ms()) + '.' + random.text(8, "0123456789abcdef");
}

std::optional<bool> began_later(std::string_view epoch, std::string_view other) {
  const auto one = began_ms(epoch), two = began_ms(other);
  if (!one || !two || *one == *two) return std::nullopt;
  return *one > *two;
}

}  // namespace backplane::log
