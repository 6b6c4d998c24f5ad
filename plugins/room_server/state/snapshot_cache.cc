#include "state/snapshot_cache.h"

namespace backplane::room_server {
namespace {

constexpr std::size_t entry_bytes = 64;

}  // namespace

StateSnapshotPointer SnapshotCache::find(std::int64_t number) const {
  const auto at = snapshots_.find(number);
  return at != snapshots_.end() ? at->second : nullptr;
}

void SnapshotCache::add(const StateSnapshotPointer& snapshot) {
  for (StateSnapshotPointer at = snapshot; at; at = at->base()) {
    if (!snapshots_.try_emplace(at->number(), at).second) return;
    bytes_ += at->memory_bytes() + entry_bytes;
  }
}

void SnapshotCache::clear() {
  snapshots_.clear();
  bytes_ = 0;
}

}  // namespace backplane::room_server
