#include "matrix/resolution_order.h"

#include <algorithm>
#include <limits>
#include <queue>
#include <tuple>

namespace backplane::matrix::resolution {
namespace {

using Node = AuthGraph::Node;

/// The power levels of senders, "when looking at their respective auth_events".
class SenderLevels {
 public:
  SenderLevels(const RoomVersion& version, const AuthGraph& graph, LoadedEvents& events)
      : version_(version), graph_(graph), events_(events) {}

  std::int64_t of(Node node) {
    const Event& event = graph_.event(node);
    const RoomCreation& creation = creation_for(node);
    const Node levels = graph_.auth_event(node, "m.room.power_levels");
    if (levels == AuthGraph::no_node) return PowerLevels(creation).of_user(event.sender());
    auto at = levels_.find(levels);
    if (at == levels_.end()) {
      auto parsed = PowerLevels::parse(graph_.event(levels).content(), creation);
      at = levels_.emplace(levels, parsed ? std::move(*parsed) : PowerLevels(creation)).first;
    }
    return at->second.of_user(event.sender());
  }

 private:
  const RoomCreation& creation_for(Node node) {
    if (version_.create_event_is_implied) {
      const Event& event = graph_.event(node);
      return creation_of(events_.find(create_event_id_of(event.room_id())).event);
    }
    const Node create = graph_.auth_event(node, "m.room.create");
    return create == AuthGraph::no_node ? nothing_ : creation_of(graph_.event(create));
  }
  const RoomCreation& creation_of(const Event& create) {
    if (!create) return nothing_;
    const auto at = creations_.find(create.event_id());
    return at != creations_.end() ? at->second
                                  : creations_.emplace(create.event_id(), RoomCreation::of(create)).first->second;
  }

  const RoomVersion& version_;
  const AuthGraph& graph_;
  LoadedEvents& events_;
  const RoomCreation nothing_;
  std::unordered_map<EventId, RoomCreation> creations_;
  std::unordered_map<Node, PowerLevels> levels_;
};

/// Where events are in the mainline of a power levels event, by way of those in their auth events.
class Mainline {
 public:
  static constexpr std::size_t infinite = std::numeric_limits<std::size_t>::max();

  Mainline(const EventId& power_levels, LoadedEvents& events) : events_(events) {
    const Event* event = !power_levels.empty() ? &events_.find(power_levels).event : nullptr;
    for (std::size_t i = 0; event != nullptr && *event; ++i) {
      if (!positions_.emplace(event->event_id(), i).second) return;
      event = power_levels_of(*event);
    }
  }

  std::size_t position_of(const Event& start) {
    std::vector<const Event*> passed;  // they have the same position, which is kept for those that come after
    std::size_t position = infinite;
    for (const Event* event = power_levels_of(start); event != nullptr; event = power_levels_of(*event)) {
      const auto [at, is_new] = positions_.emplace(event->event_id(), infinite);
      if (!is_new) {
        position = at->second;
        break;
      }
      passed.push_back(event);
    }
    for (const Event* event : passed) positions_[event->event_id()] = position;
    return position;
  }

 private:
  const Event* power_levels_of(const Event& event) {
    for (const auto& id : event.auth_events()) {
      const Event& auth_event = events_.find(id).event;
      if (auth_event && auth_event.is_state("m.room.power_levels", "")) return &auth_event;
    }
    return nullptr;
  }

  LoadedEvents& events_;
  std::unordered_map<EventId, std::size_t> positions_;
};

}  // namespace

std::vector<Node> power_order(const RoomVersion& version, const std::vector<bool>& set, const AuthGraph& graph,
                              LoadedEvents& events) {
  // Kahn's algorithm: an event may come as soon as all of its auth events in the set have.
  SenderLevels levels(version, graph, events);
  struct Later {
    const AuthGraph& graph;
    const std::vector<std::int64_t>& levels;
    bool operator()(Node x, Node y) const {  // a heap has the greatest on top: what comes first must be that
      if (levels[x] != levels[y]) return levels[x] < levels[y];
      const Event &a = graph.event(x), &b = graph.event(y);
      return std::forward_as_tuple(a.origin_server_ts(), a.event_id()) >
             std::forward_as_tuple(b.origin_server_ts(), b.event_id());
    }
  };
  std::vector<std::int64_t> level(graph.size());
  std::vector<std::size_t> waits_for(graph.size());
  std::unordered_map<Node, std::vector<Node>> citing;
  std::priority_queue<Node, std::vector<Node>, Later> ready(Later{graph, level});
  for (Node node = 0; node < graph.size(); ++node) {
    if (!set[node]) continue;
    level[node] = levels.of(node);
    for (const Node auth_event : graph.auth_events(node)) {
      if (!set[auth_event]) continue;
      ++waits_for[node];
      citing[auth_event].push_back(node);
    }
    if (waits_for[node] == 0) ready.push(node);
  }
  std::vector<Node> out;
  while (!ready.empty()) {
    const Node node = ready.top();
    ready.pop();
    out.push_back(node);
    for (const Node next : citing[node]) {
      if (--waits_for[next] == 0) ready.push(next);
    }
  }
  return out;
}

std::vector<Node> mainline_order(std::vector<Node> nodes, const EventId& power_levels, const AuthGraph& graph,
                                 LoadedEvents& events) {
  Mainline mainline(power_levels, events);
  std::unordered_map<Node, std::size_t> position;
  for (const Node node : nodes) position.emplace(node, mainline.position_of(graph.event(node)));
  std::sort(nodes.begin(), nodes.end(), [&](Node x, Node y) {
    if (position[x] != position[y]) return position[x] > position[y];
    const Event &a = graph.event(x), &b = graph.event(y);
    return std::forward_as_tuple(a.origin_server_ts(), a.event_id()) <
           std::forward_as_tuple(b.origin_server_ts(), b.event_id());
  });
  return nodes;
}

}  // namespace backplane::matrix::resolution
