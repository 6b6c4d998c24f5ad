// Many events of a room by their keys, some in each statement, which is prepared once.
#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "store.h"

namespace backplane::room_server::tables {

constexpr std::size_t keys_per_statement = 16;
/// As many placeholders.
#define BACKPLANE_KEYS "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

/// Calls `run` with keys_per_statement keys at a time. What is not needed of the last ones asks for no event: no
/// ordinal is 0.
template <class Run>
void for_each_keys(RoomNumber room, std::span<const std::int64_t> ordinals, Run&& run) {
  while (!ordinals.empty()) {
    std::array<storage::Parameter, keys_per_statement> keys{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    const auto some = ordinals.first(std::min(ordinals.size(), keys.size()));
    for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = event_key(room, i < some.size() ? some[i] : 0);
    run(std::span<const storage::Parameter>(keys));
    ordinals = ordinals.subspan(some.size());
  }
}

}  // namespace backplane::room_server::tables
