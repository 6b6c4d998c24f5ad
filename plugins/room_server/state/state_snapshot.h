// The state of a room after an event, kept for every event and small all the same. A snapshot has a parent, the state
// before the change that made it, and a depth, its distance from the room's empty state. What is stored of it is its
// difference to an ancestor, its base: the one at the depth that its own is without its lowest set bit. So
//
// - a state is read from a dozen deltas at most: a base's depth has one bit less, and each `max_chain` deep a snapshot
//   is whole;
// - half of all deltas are of one change, a quarter of two, and so on: six entries a change in the mean;
// - snapshots that follow different parents share what comes before them: a fork costs nothing.
//
// Immutable; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "state/state_delta.h"

namespace backplane::room_server {

class StateSnapshot;
using StateSnapshotPointer = std::shared_ptr<const StateSnapshot>;

class StateSnapshot {
 public:
  /// So deep a snapshot needs no base.
  static constexpr std::uint32_t max_chain = 4096;

  /// As it was stored: `base` is none for a whole one.
  StateSnapshot(std::int64_t number, std::uint32_t depth, StateDelta delta, StateSnapshotPointer base);
  /// The state that comes of a change. The parent may be none: the room's empty state.
  static StateSnapshotPointer make(std::int64_t number, const StateSnapshotPointer& parent, const StateDelta& change);

  std::int64_t number() const { return number_; }  ///< in the room: 1, 2, 3, …
  std::uint32_t depth() const { return depth_; }
  const StateDelta& delta() const { return delta_; }
  const StateSnapshotPointer& base() const { return base_; }

  /// The ordinal of the state event, 0 when there is none. Looks into each delta.
  std::uint32_t find(StateNumber number) const;
  /// The whole state.
  StateDelta entries() const;
  /// Of this one alone, without its base.
  std::size_t memory_bytes() const { return sizeof(*this) + delta_.capacity() * sizeof(StateEntry) + 32; }

 private:
  const std::int64_t number_;
  const std::uint32_t depth_;
  const StateDelta delta_;
  const StateSnapshotPointer base_;
};

/// A state by the number of type and state key, for those who look up many: what find() answers, at once.
class StateTable {
 public:
  explicit StateTable(const StateSnapshot* snapshot);
  std::uint32_t find(StateNumber number) const { return number < ordinals_.size() ? ordinals_[number] : 0; }
  /// One above the highest number.
  StateNumber size() const { return static_cast<StateNumber>(ordinals_.size()); }

 private:
  std::vector<std::uint32_t> ordinals_;
};

/// The numbers of which not all the states say the same. Looks only at what comes after the last snapshot that all of
/// them are made of.
std::vector<StateNumber> differing_numbers(std::span<const StateSnapshotPointer> states);
/// What has to be changed in `from` to come to `to`.
StateDelta difference(const StateSnapshotPointer& from, const StateSnapshotPointer& to);

}  // namespace backplane::room_server
