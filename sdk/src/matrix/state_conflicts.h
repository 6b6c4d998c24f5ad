// What several states of a room agree on and what not, for the algorithms of state resolution.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <vector>

#include "backplane/matrix/state_resolution.h"

namespace backplane::matrix::resolution {

struct StateConflicts {
  StateMap unconflicted;
  /// The events of each key in conflict, and which of the states have them. Sorted, so that nothing that follows
  /// depends on the order of the states.
  std::map<StateKey, std::map<EventId, std::vector<std::size_t>>> conflicted;
};

/// Whether a key that some state lacks is in conflict: from room version 2 on it is, in 1 it is not.
enum class Absence { is_conflict, is_none };
StateConflicts find_conflicts(std::span<const StateMap> states, Absence absence);

}  // namespace backplane::matrix::resolution
