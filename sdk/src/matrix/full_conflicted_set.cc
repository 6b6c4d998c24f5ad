#include "matrix/full_conflicted_set.h"

namespace backplane::matrix::resolution {
namespace {

using Node = AuthGraph::Node;

/// The nodes in conflict that each state has.
std::vector<std::vector<Node>> nodes_of_states(const StateConflicts& conflicts, std::size_t states,
                                               const AuthGraph& graph) {
  std::vector<std::vector<Node>> out(states);
  for (const auto& [key, conflict] : conflicts) {
    for (const auto& [event_id, holders] : conflict) {
      const Node node = graph.find(event_id);
      if (node == AuthGraph::no_node) continue;
      for (const std::size_t state : holders) out[state].push_back(node);
    }
  }
  return out;
}

/// "taking every event that doesn't appear in every auth chain": the chains of states, each the union of those of its
/// events. Only events in the chains of conflicts can be missing in a state.
Result<std::vector<bool>> auth_difference(const StateConflicts& conflicts, std::size_t states, const AuthGraph& graph,
                                          CommonState& common) {
  std::vector<std::size_t> chains(graph.size());  // how many states have it in theirs
  for (const auto& nodes : nodes_of_states(conflicts, states, graph)) {
    std::vector<bool> seen(graph.size());
    graph.walk_chains(nodes, seen, [&](Node node) { return ++chains[node] > 0; });
  }
  std::vector<EventId> candidates;
  for (Node node = 0; node < graph.size(); ++node) {
    if (chains[node] > 0 && chains[node] < states) candidates.push_back(graph.event(node).event_id());
  }
  // What is in the chain of an event that all have is in everybody's.
  if (!candidates.empty()) BACKPLANE_CHECK(common.remove_cited(candidates));
  std::vector<bool> out(graph.size());
  for (const EventId& event_id : candidates) out[graph.find(event_id)] = true;
  return out;
}

/// Room version 12, "Conflicted state subgraph". All nodes can be reached from an event in conflict; those belong to it
/// from which one can be reached.
void add_conflicted_subgraph(std::vector<bool>& set, std::vector<Node> conflicted, const AuthGraph& graph) {
  const auto citing = graph.citing();
  std::vector<bool> seen(graph.size());
  for (const Node node : conflicted) seen[node] = true;
  while (!conflicted.empty()) {
    const Node node = conflicted.back();
    conflicted.pop_back();
    set[node] = true;
    for (const Node next : citing[node]) {
      if (!seen[next]) conflicted.push_back(next);
      seen[next] = true;
    }
  }
}

}  // namespace

Result<std::vector<bool>> full_conflicted_set(const RoomVersion& version, const StateConflicts& conflicts,
                                              std::size_t states, const AuthGraph& graph, CommonState& common) {
  BACKPLANE_TRY(out, auth_difference(conflicts, states, graph, common));
  std::vector<Node> conflicted;
  for (const auto& [key, conflict] : conflicts) {
    for (const auto& [event_id, holders] : conflict) {
      const Node node = graph.find(event_id);
      if (node == AuthGraph::no_node) continue;
      out[node] = true;
      conflicted.push_back(node);
    }
  }
  if (version.state_resolution == StateResolution::v2_1) add_conflicted_subgraph(out, std::move(conflicted), graph);
  return out;
}

}  // namespace backplane::matrix::resolution
