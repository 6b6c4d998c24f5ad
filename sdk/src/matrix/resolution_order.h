// The two orders in which state resolution judges events.
#pragma once

#include <unordered_map>
#include <vector>

#include "backplane/matrix/power_levels.h"
#include "matrix/auth_graph.h"

namespace backplane::matrix::resolution {

/// "Reverse topological power ordering" of the marked nodes.
std::vector<AuthGraph::Node> power_order(const RoomVersion& version, const std::vector<bool>& set,
                                         const AuthGraph& graph, LoadedEvents& events);

/// "Mainline ordering" of the nodes, based on a power levels event, or on none.
std::vector<AuthGraph::Node> mainline_order(std::vector<AuthGraph::Node> nodes, const EventId& power_levels,
                                            const AuthGraph& graph, LoadedEvents& events);

}  // namespace backplane::matrix::resolution
