// What several states of a room agree on and what not, for the algorithms of state resolution.
#pragma once

#include <span>

#include "backplane/matrix/state_resolution.h"

namespace backplane::matrix::resolution {

struct SplitStates {
  StateMap common;
  StateConflicts conflicts;
};

/// Whether a key that some state lacks is in conflict: from room version 2 on it is, in 1 it is not.
enum class Absence { is_conflict, is_none };
SplitStates split_states(std::span<const StateMap> states, Absence absence);

}  // namespace backplane::matrix::resolution
