// The snapshots of a room that are in memory, by their numbers, so that those that share a base share it here too.
// Belongs to the room's lane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "state/state_snapshot.h"

namespace backplane::room_server {

class SnapshotCache {
 public:
  StateSnapshotPointer find(std::int64_t number) const;
  /// With its bases.
  void add(const StateSnapshotPointer& snapshot);
  /// Above that many bytes all are forgotten; those that somebody else holds are added again by their holders.
  bool is_full() const { return bytes_ > max_bytes; }
  void clear();
  std::size_t memory_bytes() const { return bytes_; }

 private:
  static constexpr std::size_t max_bytes = std::size_t{4} << 20;
  std::unordered_map<std::int64_t, StateSnapshotPointer> snapshots_;
  std::size_t bytes_ = 0;
};

}  // namespace backplane::room_server
