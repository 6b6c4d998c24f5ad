#include "state/auth_index.h"

#include "state/number_bytes.h"

namespace backplane::room_server {

std::string encode_auth_events(std::uint32_t ordinal, std::span<const std::uint32_t> auth_events) {
  std::string bytes;
  for (const std::uint32_t auth_event : auth_events)
    append_number(bytes, fold(std::int64_t{ordinal} - std::int64_t{auth_event}));
  return bytes;
}

Result<std::vector<std::uint32_t>> decode_auth_events(std::uint32_t ordinal, std::string_view bytes) {
  std::vector<std::uint32_t> auth_events;
  while (!bytes.empty()) {
    const auto difference = take_number(bytes);
    const std::int64_t auth_event = difference ? ordinal - unfold(*difference) : -1;
    if (auth_event < 0 || auth_event > std::numeric_limits<std::uint32_t>::max())
      return internal_error("the stored auth events of a room are damaged");
    auth_events.push_back(static_cast<std::uint32_t>(auth_event));
  }
  return auth_events;
}

AuthIndex::Node AuthIndex::node_of(std::uint32_t ordinal) {
  const auto [at, is_new] = nodes_by_ordinal_.try_emplace(ordinal, static_cast<Node>(nodes_.size()));
  if (is_new) nodes_.push_back({ordinal, 0, none, 0, 0});
  return at->second;
}

void AuthIndex::add(std::uint32_t ordinal, StateNumber number, std::span<const std::uint32_t> auth_events) {
  const Node node = node_of(ordinal);
  if (nodes_[node].number != 0) return;  // is there
  nodes_[node].number = number;
  nodes_[node].first_citation = static_cast<std::uint32_t>(edges_.size());
  nodes_[node].citations = static_cast<std::uint32_t>(auth_events.size());
  for (const std::uint32_t auth_event : auth_events) {
    const Node cited = node_of(auth_event);
    edges_.push_back({node, cited, nodes_[cited].first_edge});
    nodes_[cited].first_edge = static_cast<std::uint32_t>(edges_.size() - 1);
  }
}

std::vector<StateEntry> AuthIndex::auth_events(std::uint32_t ordinal) const {
  std::vector<StateEntry> found;
  const auto at = nodes_by_ordinal_.find(ordinal);
  if (at == nodes_by_ordinal_.end()) return found;
  const Entry& entry = nodes_[at->second];
  for (std::uint32_t edge = entry.first_citation; edge < entry.first_citation + entry.citations; ++edge) {
    const Entry& cited = nodes_[edges_[edge].cited];
    found.push_back({cited.number, cited.ordinal});
  }
  return found;
}

std::vector<StateEntry> AuthIndex::auth_chain(std::span<const StateEntry> of) const {
  std::vector<bool> seen(nodes_.size());
  std::vector<Node> left;
  for (const StateEntry& entry : of) {
    const auto at = nodes_by_ordinal_.find(entry.ordinal);
    if (at == nodes_by_ordinal_.end() || seen[at->second]) continue;
    seen[at->second] = true;
    left.push_back(at->second);
  }
  std::vector<StateEntry> chain;
  while (!left.empty()) {
    const Entry& entry = nodes_[left.back()];
    left.pop_back();
    for (std::uint32_t edge = entry.first_citation; edge < entry.first_citation + entry.citations; ++edge) {
      const Node cited = edges_[edge].cited;
      if (seen[cited]) continue;
      seen[cited] = true;
      left.push_back(cited);
      chain.push_back({nodes_[cited].number, nodes_[cited].ordinal});
    }
  }
  return chain;
}

}  // namespace backplane::room_server
