// The way of one call: which provider is asked next, and when it is time to give up. Pure but for the time it is told.
// One thread at a time.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "backplane/base/clock.h"

namespace backplane::host {

class CallCourse {
 public:
  static constexpr std::size_t max_providers = 64;

  /// `first` of `providers` is asked first. A keyed call has an owner among them, who may be changing.
  CallCourse(std::size_t providers, std::size_t first, bool keyed, Instant give_up)
      : providers_(providers), target_(first), keyed_(keyed), give_up_(give_up) {}

  std::size_t target() const { return target_; }

  /// What the target was found to be.
  enum class Found : std::uint8_t {
    not_owner,    ///< nothing was done there
    unreachable,  ///< nothing was done there
    lost,         ///< it broke off, and the call may be repeated
  };
  struct Step {
    bool again = false;  ///< ask target() now; false: give up
    Duration pause{};    ///< after that time
  };
  /// `owner` is who the target says to ask. While nobody can be reached, it is worth asking again until `back_by`.
  Step next(Found found, std::optional<std::size_t> owner, Instant now, Instant back_by = {});

 private:
  std::optional<std::size_t> untried() const;

  const std::size_t providers_;
  std::size_t target_;
  const bool keyed_;
  const Instant give_up_;
  std::bitset<max_providers> tried_;    ///< in this round
  std::optional<std::size_t> claimed_;  ///< the owner that somebody named last
  bool reached_any_ = false;            ///< in this round
  bool moves_ = false;                  ///< in this round somebody said that it was not the owner
  Duration pause_ = std::chrono::milliseconds(20);
};

}  // namespace backplane::host
