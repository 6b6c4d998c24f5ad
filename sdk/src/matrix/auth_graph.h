// The auth chains of some events as a graph of small numbers, so that walking them costs nothing but the steps: each
// event is loaded once, however many chains it is in. All walks are loops; cycles, which servers can make in room
// versions 1 and 2, end them like any event that was seen before.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "matrix/state_resolution_detail.h"

namespace backplane::matrix::resolution {

class AuthGraph {
 public:
  using Node = std::uint32_t;
  static constexpr Node no_node = ~Node{0};

  /// Loads the events and their auth chains. Events that are not known have no place in it.
  AuthGraph(std::span<const EventId> event_ids, LoadedEvents& events);

  std::size_t size() const { return events_.size(); }
  const Event& event(Node node) const { return events_[node]->event; }
  bool is_rejected(Node node) const { return events_[node]->rejected; }
  /// no_node when it is not in the graph.
  Node find(const EventId& event_id) const;
  /// In the order of the event.
  std::span<const Node> auth_events(Node node) const {
    return std::span(edges_).subspan(first_edge_[node], first_edge_[node + 1] - first_edge_[node]);
  }
  /// The auth event of the type, with an empty state key; no_node when there is none.
  Node auth_event(Node node, std::string_view type) const;

  /// visit(node) for every event of the auth chains of those nodes that `seen` does not mark, and marks it. Does not
  /// follow the auth events of what visit answers false for.
  template <class Visit>
  void walk_chains(std::span<const Node> from, std::vector<bool>& seen, Visit visit) const {
    std::vector<Node> left(from.begin(), from.end());
    while (!left.empty()) {
      const Node node = left.back();
      left.pop_back();
      for (const Node next : auth_events(node)) {
        if (seen[next]) continue;
        seen[next] = true;
        if (visit(next)) left.push_back(next);
      }
    }
  }
  /// The events that cite each event: auth_events turned round.
  std::vector<std::vector<Node>> citing() const;

 private:
  std::unordered_map<EventId, Node> nodes_;
  std::vector<const EventSource::Found*> events_;
  std::vector<std::size_t> first_edge_;  ///< one more than nodes
  std::vector<Node> edges_;
};

}  // namespace backplane::matrix::resolution
