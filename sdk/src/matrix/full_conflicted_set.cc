#include "matrix/full_conflicted_set.h"

#include <algorithm>
#include <unordered_set>

namespace backplane::matrix::resolution {
namespace {

using Node = AuthGraph::Node;

/// The nodes in conflict that each state has.
std::vector<std::vector<Node>> nodes_of_states(const StateConflicts& conflicts, std::size_t states,
                                               const AuthGraph& graph) {
  std::vector<std::vector<Node>> out(states);
  for (const auto& [key, conflict] : conflicts.conflicted) {
    for (const auto& [event_id, holders] : conflict) {
      const Node node = graph.find(event_id);
      if (node == AuthGraph::no_node) continue;
      for (const std::size_t state : holders) out[state].push_back(node);
    }
  }
  return out;
}

/// Takes out of the candidates what is in the auth chain of an unconflicted event, which every state has. This may need
/// events that are in no chain of the graph; it stops as soon as no candidate is left.
class CommonChains {
 public:
  CommonChains(const AuthGraph& graph, std::vector<bool>& candidates, LoadedEvents& events)
      : graph_(graph),
        candidates_(candidates),
        events_(events),
        seen_(graph.size()),
        left_(static_cast<std::size_t>(std::count(candidates.begin(), candidates.end(), true))) {}

  void exclude(const StateMap& unconflicted) {
    std::vector<EventId> wanted;
    for (const auto& [key, event_id] : unconflicted) {
      if (const Node node = graph_.find(event_id); node != AuthGraph::no_node) exclude_chain(node);
      else wanted.push_back(event_id);
    }
    std::unordered_set<EventId> asked(wanted.begin(), wanted.end());
    while (!wanted.empty() && left_ > 0) {
      events_.expect(wanted);
      std::vector<EventId> next;
      for (const auto& id : wanted) {
        const Event event = events_.find_once(id).event;
        if (!event) continue;
        for (auto& auth_id : event.auth_events()) {
          if (const Node node = graph_.find(auth_id); node != AuthGraph::no_node) exclude_with_chain(node);
          else if (asked.insert(auth_id).second) next.push_back(std::move(auth_id));
        }
        if (left_ == 0) return;
      }
      wanted = std::move(next);
    }
  }

 private:
  bool exclude_node(Node node) {
    if (candidates_[node]) {
      candidates_[node] = false;
      --left_;
    }
    return true;
  }
  void exclude_chain(Node node) {
    graph_.walk_chains(std::span(&node, 1), seen_, [this](Node each) { return exclude_node(each); });
  }
  void exclude_with_chain(Node node) {
    if (seen_[node]) return;
    seen_[node] = true;
    exclude_node(node);
    exclude_chain(node);
  }

  const AuthGraph& graph_;
  std::vector<bool>& candidates_;
  LoadedEvents& events_;
  std::vector<bool> seen_;  ///< and with it the chain
  std::size_t left_;
};

/// "taking every event that doesn't appear in every auth chain": the chains of states, each the union of those of its
/// events. Only events in the chains of conflicts can be missing in a state.
std::vector<bool> auth_difference(const StateConflicts& conflicts, std::size_t states, const AuthGraph& graph,
                                  LoadedEvents& events) {
  std::vector<std::size_t> chains(graph.size());  // how many states have it in theirs
  for (const auto& nodes : nodes_of_states(conflicts, states, graph)) {
    std::vector<bool> seen(graph.size());
    graph.walk_chains(nodes, seen, [&](Node node) { return ++chains[node] > 0; });
  }
  std::vector<bool> out(graph.size());
  for (Node node = 0; node < graph.size(); ++node) out[node] = chains[node] > 0 && chains[node] < states;
  CommonChains(graph, out, events).exclude(conflicts.unconflicted);
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

std::vector<bool> full_conflicted_set(const RoomVersion& version, const StateConflicts& conflicts, std::size_t states,
                                      const AuthGraph& graph, LoadedEvents& events) {
  std::vector<bool> out = auth_difference(conflicts, states, graph, events);
  std::vector<Node> conflicted;
  for (const auto& [key, conflict] : conflicts.conflicted) {
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
