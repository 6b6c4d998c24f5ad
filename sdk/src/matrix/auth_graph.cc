#include "matrix/auth_graph.h"

#include <unordered_set>

namespace backplane::matrix::resolution {

AuthGraph::AuthGraph(std::span<const EventId> event_ids, LoadedEvents& events) {
  std::vector<std::vector<EventId>> auth_ids;  // of each node
  std::vector<EventId> wanted(event_ids.begin(), event_ids.end());
  std::unordered_set<EventId> asked(wanted.begin(), wanted.end());
  while (!wanted.empty()) {  // a step further from the given events each time
    events.expect(wanted);
    std::vector<EventId> next;
    for (const auto& id : wanted) {
      const auto& found = events.find(id);
      if (!found.event || !nodes_.emplace(id, static_cast<Node>(events_.size())).second) continue;
      events_.push_back(&found);
      auth_ids.push_back(found.event.auth_events());
      for (const auto& auth_id : auth_ids.back()) {
        if (asked.insert(auth_id).second) next.push_back(auth_id);
      }
    }
    wanted = std::move(next);
  }
  first_edge_.reserve(events_.size() + 1);
  first_edge_.push_back(0);
  for (const auto& ids : auth_ids) {
    for (const auto& id : ids) {
      if (const Node node = find(id); node != no_node) edges_.push_back(node);
    }
    first_edge_.push_back(edges_.size());
  }
}

AuthGraph::Node AuthGraph::find(const EventId& event_id) const {
  const auto at = nodes_.find(event_id);
  return at == nodes_.end() ? no_node : at->second;
}

AuthGraph::Node AuthGraph::auth_event(Node node, std::string_view type) const {
  for (const Node each : auth_events(node)) {
    if (event(each).is_state(type, "")) return each;
  }
  return no_node;
}

std::vector<std::vector<AuthGraph::Node>> AuthGraph::citing() const {
  std::vector<std::vector<Node>> out(size());
  for (Node node = 0; node < size(); ++node) {
    for (const Node each : auth_events(node)) out[each].push_back(node);
  }
  return out;
}

}  // namespace backplane::matrix::resolution
