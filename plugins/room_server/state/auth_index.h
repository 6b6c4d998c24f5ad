// Which state events of a room cite which as their auth events, turned round: "is this event in the auth chain of a
// state?" is answered by going from it to those that cite it, until one of them is of the state. As nearly every event
// that matters is cited by one of the state at once, this takes a few steps, where walking the chains of a state with
// a hundred thousand members takes a million. And the other way, for those who want whole chains. Belongs to the room's
// lane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "backplane/base/result.h"
#include "state/state_delta.h"

namespace backplane::room_server {

/// The ordinals of a state event's auth events, as they are stored with it.
std::string encode_auth_events(std::uint32_t ordinal, std::span<const std::uint32_t> auth_events);
/// Errors: internal/internal for bytes that encode_auth_events() did not make.
Result<std::vector<std::uint32_t>> decode_auth_events(std::uint32_t ordinal, std::string_view bytes);

class AuthIndex {
 public:
  /// A state event. Its auth events may come before or after it.
  void add(std::uint32_t ordinal, StateNumber number, std::span<const std::uint32_t> auth_events);

  /// Whether the event is in the auth chain of any for which in_state(ordinal, number) is true.
  template <class InState>
  bool is_cited(std::uint32_t ordinal, InState in_state) const {
    const auto start = nodes_by_ordinal_.find(ordinal);
    if (start == nodes_by_ordinal_.end()) return false;
    std::vector<Node> left{start->second};
    std::unordered_map<Node, bool> seen;
    while (!left.empty()) {
      const Node node = left.back();
      left.pop_back();
      for (std::uint32_t edge = nodes_[node].first_edge; edge != none; edge = edges_[edge].next) {
        const Node citing = edges_[edge].citing;
        if (in_state(nodes_[citing].ordinal, nodes_[citing].number)) return true;
        if (seen.try_emplace(citing, true).second) left.push_back(citing);
      }
    }
    return false;
  }

  /// The auth events of a state event, each with the number of its type and state key.
  std::vector<StateEntry> auth_events(std::uint32_t ordinal) const;
  /// The auth chains of state events, without those that are events of `of` themselves, in no order.
  std::vector<StateEntry> auth_chain(std::span<const StateEntry> of) const;

  std::size_t memory_bytes() const {
    return nodes_.capacity() * sizeof(Entry) + edges_.capacity() * sizeof(Edge) + nodes_by_ordinal_.size() * 40;
  }

 private:
  using Node = std::uint32_t;
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
  struct Entry {
    std::uint32_t ordinal;
    StateNumber number;  ///< 0 as long as only its ordinal is known
    std::uint32_t first_edge;
    std::uint32_t first_citation, citations;  ///< edges of its own, side by side
  };
  /// In a list of those that cite one event, the last first: new events are the ones that states have.
  struct Edge {
    Node citing, cited;
    std::uint32_t next;
  };

  Node node_of(std::uint32_t ordinal);

  std::unordered_map<std::uint32_t, Node> nodes_by_ordinal_;
  std::vector<Entry> nodes_;
  std::vector<Edge> edges_;
};

}  // namespace backplane::room_server
