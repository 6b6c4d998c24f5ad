#include "state/state_snapshot.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace backplane::room_server {
namespace {

constexpr std::uint32_t base_depth(std::uint32_t depth) { return depth & (depth - 1); }
constexpr bool is_whole(std::uint32_t depth) { return depth % StateSnapshot::max_chain == 0; }

}  // namespace

StateSnapshot::StateSnapshot(std::int64_t number, std::uint32_t depth, StateDelta delta, StateSnapshotPointer base)
    : number_(number), depth_(depth), delta_(std::move(delta)), base_(std::move(base)) {}

StateSnapshotPointer StateSnapshot::make(std::int64_t number, const StateSnapshotPointer& parent,
                                         const StateDelta& change) {
  // The room's empty state has depth 0 and is nobody's: a chain ends there.
  const std::uint32_t depth = parent ? parent->depth() + 1 : 1;
  const std::uint32_t wanted = is_whole(depth) ? 0 : base_depth(depth);
  StateDelta delta = change;
  StateSnapshotPointer base = parent;
  while (base && (is_whole(depth) || base->depth() > wanted)) {
    delta = merge(base->delta(), delta);
    base = base->base();
  }
  if (!base) std::erase_if(delta, [](const StateEntry& entry) { return entry.ordinal == 0; });
  delta.shrink_to_fit();
  return std::make_shared<StateSnapshot>(number, depth, std::move(delta), std::move(base));
}

std::uint32_t StateSnapshot::find(StateNumber number) const {
  for (const StateSnapshot* at = this; at != nullptr; at = at->base_.get()) {
    const auto entry = std::ranges::lower_bound(at->delta_, number, {}, &StateEntry::number);
    if (entry != at->delta_.end() && entry->number == number) return entry->ordinal;
  }
  return 0;
}

StateDelta StateSnapshot::entries() const {
  const StateTable table(this);
  StateDelta entries;
  for (StateNumber number = 1; number < table.size(); ++number) {
    if (const std::uint32_t ordinal = table.find(number)) entries.push_back({number, ordinal});
  }
  return entries;
}

StateTable::StateTable(const StateSnapshot* snapshot) {
  std::vector<const StateSnapshot*> chain;
  StateNumber highest = 0;
  for (; snapshot != nullptr; snapshot = snapshot->base().get()) {
    chain.push_back(snapshot);
    if (!snapshot->delta().empty()) highest = std::max(highest, snapshot->delta().back().number);
  }
  ordinals_.resize(chain.empty() ? 0 : highest + std::size_t{1});
  std::ranges::for_each(chain.rbegin(), chain.rend(), [&](const StateSnapshot* link) {
    for (const auto& [number, ordinal] : link->delta()) ordinals_[number] = ordinal;
  });
}

std::vector<StateNumber> differing_numbers(std::span<const StateSnapshotPointer> states) {
  // In how many of the states' chains a snapshot is.
  std::map<std::int64_t, std::size_t> uses;
  for (const StateSnapshotPointer& state : states) {
    for (const StateSnapshot* at = state.get(); at != nullptr; at = at->base().get()) ++uses[at->number()];
  }
  std::vector<StateNumber> numbers;
  for (const StateSnapshotPointer& state : states) {
    for (const StateSnapshot* at = state.get(); at != nullptr && uses[at->number()] < states.size();
         at = at->base().get()) {
      for (const StateEntry& entry : at->delta()) numbers.push_back(entry.number);
    }
  }
  std::ranges::sort(numbers);
  const auto repeated = std::ranges::unique(numbers);
  numbers.erase(repeated.begin(), repeated.end());
  const auto ordinal = [](const StateSnapshotPointer& state, StateNumber number) {
    return state ? state->find(number) : 0;
  };
  std::erase_if(numbers, [&](StateNumber number) {
    return std::ranges::all_of(states, [&](const StateSnapshotPointer& state) {
      return ordinal(state, number) == ordinal(states.front(), number);
    });
  });
  return numbers;
}

StateDelta difference(const StateSnapshotPointer& from, const StateSnapshotPointer& to) {
  const std::array<StateSnapshotPointer, 2> both{from, to};
  StateDelta delta;
  for (const StateNumber number : differing_numbers(both)) delta.push_back({number, to ? to->find(number) : 0});
  return delta;
}

}  // namespace backplane::room_server
