// What changed between two states of a room, in numbers: each type and state key that a room ever had is a small
// number, and each event an ordinal. Of these deltas snapshots are made (state_snapshot.h). Values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/result.h"

namespace backplane::room_server {

/// A type and state key of a room: 1, 2, 3, … in the order in which the room met them.
using StateNumber = std::uint32_t;

struct StateEntry {
  StateNumber number = 0;
  std::uint32_t ordinal = 0;  ///< of the state event; 0: there is none
  bool operator==(const StateEntry&) const = default;
};

/// By number, each once.
using StateDelta = std::vector<StateEntry>;

/// What `older` and then `newer` come to.
StateDelta merge(const StateDelta& older, const StateDelta& newer);

/// A byte or two an entry for neighbours.
std::string encode(const StateDelta& delta);
/// Errors: internal/internal for bytes that encode() did not make.
Result<StateDelta> decode_delta(std::string_view bytes);

}  // namespace backplane::room_server
