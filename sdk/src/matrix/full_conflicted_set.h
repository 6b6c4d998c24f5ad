// Which events state resolution has to judge anew.
#pragma once

#include <vector>

#include "backplane/matrix/state_resolution.h"
#include "matrix/auth_graph.h"

namespace backplane::matrix::resolution {

/// The full conflicted set of room versions 2 and later, a mark for each node of the graph, which holds the auth chains
/// of the events in conflict. `states`: how many there are.
Result<std::vector<bool>> full_conflicted_set(const RoomVersion& version, const StateConflicts& conflicts,
                                              std::size_t states, const AuthGraph& graph, CommonState& common);

}  // namespace backplane::matrix::resolution
