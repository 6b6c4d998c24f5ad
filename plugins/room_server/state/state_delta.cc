#include "state/state_delta.h"

#include <limits>

#include "state/number_bytes.h"

namespace backplane::room_server {
StateDelta merge(const StateDelta& older, const StateDelta& newer) {
  StateDelta merged;
  merged.reserve(older.size() + newer.size());
  auto old_entry = older.begin();
  for (const StateEntry& entry : newer) {
    while (old_entry != older.end() && old_entry->number < entry.number) merged.push_back(*old_entry++);
    if (old_entry != older.end() && old_entry->number == entry.number) ++old_entry;
    merged.push_back(entry);
  }
  merged.insert(merged.end(), old_entry, older.end());
  return merged;
}

std::string encode(const StateDelta& delta) {
  std::string bytes;
  bytes.reserve(delta.size() * 3 + 8);
  StateEntry last;
  for (const StateEntry& entry : delta) {
    append_number(bytes, entry.number - last.number);
    append_number(bytes, fold(std::int64_t{entry.ordinal} - std::int64_t{last.ordinal}));
    last = entry;
  }
  return bytes;
}

Result<StateDelta> decode_delta(std::string_view bytes) {
  constexpr std::int64_t highest = std::numeric_limits<std::uint32_t>::max();
  StateDelta delta;
  delta.reserve(bytes.size() / 2);
  std::int64_t number = 0;
  std::int64_t ordinal = 0;
  while (!bytes.empty()) {
    const auto step = take_number(bytes);
    const auto difference = take_number(bytes);
    const bool fits = step && difference && *step != 0 && *step <= static_cast<std::uint64_t>(highest - number);
    if (fits) {
      number += static_cast<std::int64_t>(*step);
      ordinal += unfold(*difference);
    }
    if (!fits || ordinal < 0 || ordinal > highest) return internal_error("a stored state of a room is damaged");
    delta.push_back({static_cast<StateNumber>(number), static_cast<std::uint32_t>(ordinal)});
  }
  return delta;
}

}  // namespace backplane::room_server
