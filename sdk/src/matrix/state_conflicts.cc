#include "matrix/state_conflicts.h"

#include <utility>

namespace backplane::matrix::resolution {

SplitStates split_states(std::span<const StateMap> states, Absence absence) {
  SplitStates out;
  std::vector<StateMap::const_iterator> at;
  for (const auto& state : states) at.push_back(state.begin());
  for (;;) {
    // The smallest key that is left in any state.
    const StateKey* key = nullptr;
    for (std::size_t i = 0; i < states.size(); ++i) {
      if (at[i] != states[i].end() && (key == nullptr || at[i]->first < *key)) key = &at[i]->first;
    }
    if (key == nullptr) return out;

    const EventId* first = nullptr;
    std::size_t present = 0;
    bool differs = false;
    for (std::size_t i = 0; i < states.size(); ++i) {
      if (at[i] == states[i].end() || at[i]->first != *key) continue;
      ++present;
      if (first == nullptr) first = &at[i]->second;
      differs = differs || at[i]->second != *first;
    }
    const bool conflict = differs || (absence == Absence::is_conflict && present != states.size());
    auto* const events = conflict ? &out.conflicts[*key] : nullptr;
    if (!conflict) out.common.emplace_hint(out.common.end(), *key, *first);
    const StateKey current = *key;
    for (std::size_t i = 0; i < states.size(); ++i) {
      if (at[i] == states[i].end() || at[i]->first != current) continue;
      if (events != nullptr) (*events)[at[i]->second].push_back(i);
      ++at[i];
    }
  }
}

}  // namespace backplane::matrix::resolution
