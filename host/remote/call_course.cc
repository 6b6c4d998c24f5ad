#include "host/remote/call_course.h"

#include <algorithm>

namespace backplane::host {
namespace {
constexpr Duration longest_pause = std::chrono::milliseconds(250);
}

std::optional<std::size_t> CallCourse::untried() const {
  for (std::size_t step = 1; step < providers_; ++step) {
    const std::size_t candidate = (target_ + step) % providers_;
    if (!tried_.test(candidate)) return candidate;
  }
  return std::nullopt;
}

CallCourse::Step CallCourse::next(Found found, std::optional<std::size_t> owner, Instant now, Instant back_by) {
  if (now >= give_up_) return {};
  tried_.set(target_);
  reached_any_ = reached_any_ || found != Found::unreachable;
  moves_ = moves_ || found == Found::not_owner;
  if (owner && *owner != target_) claimed_ = owner;
  if (claimed_ && !tried_.test(*claimed_)) {
    target_ = *claimed_;
    return {true, {}};
  }
  if (const auto other = untried()) {
    target_ = *other;
    return {true, {}};
  }
  // All were asked. Shards move within seconds, and a host that is started again is back as soon.
  if (reached_any_ ? !keyed_ && !moves_ : now >= back_by) return {};
  const Duration pause = pause_;
  if (now + pause >= give_up_) return {};
  pause_ = std::min(pause_ * 2, longest_pause);
  tried_.reset();
  reached_any_ = moves_ = false;
  if (claimed_) target_ = *claimed_;
  else target_ = (target_ + 1) % providers_;
  claimed_.reset();
  return {true, pause};
}

}  // namespace backplane::host
