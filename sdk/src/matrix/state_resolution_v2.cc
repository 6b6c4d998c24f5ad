// Room versions 2 to 12, "State resolution".
#include "matrix/full_conflicted_set.h"
#include "matrix/resolution_order.h"
#include "matrix/resolving_state.h"
#include "matrix/state_resolution_detail.h"

#include "backplane/matrix/membership.h"

namespace backplane::matrix::resolution {
namespace {

using Node = AuthGraph::Node;

/// "Power events". NOTSPEC: the text does not ask for an empty state_key of power levels and join rules; others are not
/// the room's, no server takes them for power events, and here too they are not.
bool is_power_event(const Event& event) {
  if (event.is_state("m.room.power_levels", "") || event.is_state("m.room.join_rules", "")) return true;
  if (event.type() != "m.room.member" || !event.is_state() || event.sender().view() == event.state_key()) return false;
  const auto membership = membership_in(event.content());
  return membership == Membership::leave || membership == Membership::ban;
}

/// Step 1: the power events of the set, and what of their auth chains belongs to it.
std::vector<bool> power_events(const std::vector<bool>& full_conflicted_set, const AuthGraph& graph) {
  std::vector<bool> out(graph.size());
  std::vector<Node> nodes;
  for (Node node = 0; node < graph.size(); ++node) {
    if (full_conflicted_set[node] && is_power_event(graph.event(node))) {
      nodes.push_back(node);
      out[node] = true;
    }
  }
  std::vector<bool> seen(graph.size());
  graph.walk_chains(nodes, seen, [&](Node node) {
    if (full_conflicted_set[node]) out[node] = true;
    return true;
  });
  return out;
}

/// "Iterative auth checks".
void check_iteratively(const std::vector<Node>& order, const AuthGraph& graph, ResolvingState& state) {
  for (const Node node : order) {
    const Event& event = graph.event(node);
    if (!event.is_state()) continue;
    // "... the appropriate state event from the event's auth_events is used if the auth event is not rejected."
    std::vector<const Event*> auth_events;
    for (const Node auth_event : graph.auth_events(node)) {
      if (!graph.is_rejected(auth_event)) auth_events.push_back(&graph.event(auth_event));
    }
    state.set_fallback(std::move(auth_events));
    if (state.allows(event)) state.put({std::string(event.type()), std::string(*event.state_key())}, event.event_id());
  }
}

}  // namespace

Result<StateMap> resolve_v2(const RoomVersion& version, const StateConflicts& conflicts, std::size_t states,
                            CommonState& common, LoadedEvents& events) {
  std::vector<EventId> conflicted;
  for (const auto& [key, conflict] : conflicts) {
    for (const auto& [event_id, holders] : conflict) conflicted.push_back(event_id);
  }
  const AuthGraph graph(conflicted, events);
  BACKPLANE_TRY(full, full_conflicted_set(version, conflicts, states, graph, common));

  // 1.
  const std::vector<bool> power = power_events(full, graph);
  // 2. Room version 12 begins with nothing: what is unconflicted may be older than what is being judged.
  ResolvingState state(version, version.state_resolution == StateResolution::v2_1 ? nullptr : &common, events);
  check_iteratively(power_order(version, power, graph, events), graph, state);
  // 3.
  std::vector<Node> others;
  for (Node node = 0; node < graph.size(); ++node) {
    if (full[node] && !power[node]) others.push_back(node);
  }
  const EventId power_levels = state.find({"m.room.power_levels", ""});
  // 4.
  check_iteratively(mainline_order(std::move(others), power_levels, graph, events), graph, state);
  // 5. What the states agree on stays.
  StateMap out = state.changed();
  std::erase_if(
      out, [&](const auto& entry) { return !conflicts.contains(entry.first) && !common.find(entry.first).empty(); });
  return out;
}

}  // namespace backplane::matrix::resolution
