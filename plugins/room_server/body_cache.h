// Bodies of events that others asked for, bounded in bytes. A body that a redaction changes is replaced when that is
// committed, and a body that was read before does not come back after it. Where several hosts share the store, only
// bodies of rooms that are owned here are kept, as long as they are: another owner redacts without a word. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <utility>

#include "backplane/api/room_server.h"
#include "backplane/base/cache.h"
#include "backplane/log/position.h"
#include "backplane/storage/store.h"

namespace backplane::room_server {

class BodyCache {
 public:
  using Pointer = std::shared_ptr<const api::EventBody>;
  /// When a read of the store began, as far as changes of bodies go.
  struct Moment {
    std::uint64_t changes;
    std::array<std::uint64_t, log::lane_count> generations;
  };

  BodyCache(const storage::Store& store, std::size_t max_bytes) : store_(store), cache_(max_bytes) {}

  Pointer find(const EventId& event_id) {
    const auto kept = cache_.find(event_id);
    return kept && kept->generation == generation(kept->body->room_id) ? kept->body : nullptr;
  }
  /// Before a read of the store begins.
  Moment moment() const {
    const std::lock_guard lock(mutex_);
    Moment moment{changes_, {}};
    for (std::uint16_t shard = 0; shard < log::lane_count; ++shard)
      moment.generations[shard] = store_.ownership().generation(shard);
    return moment;
  }
  /// Keeps what was read since that moment, unless a body has changed meanwhile.
  void fill(Pointer body, const Moment& since) {
    const std::uint64_t read_in = since.generations[log::lane_of(body->room_id.view())];
    const std::lock_guard lock(mutex_);
    if (read_in != 0 && since.changes == changes_) insert(std::move(body), read_in);
  }
  /// The body is another one from now on.
  void replace(Pointer body) {
    const std::uint64_t now = generation(body->room_id);
    const std::lock_guard lock(mutex_);
    ++changes_;
    if (now != 0) insert(std::move(body), now);
    else cache_.erase(body->event_id);
  }
  /// These bodies are gone.
  void erase(std::span<const EventId> event_ids) {
    const std::lock_guard lock(mutex_);
    ++changes_;
    for (const EventId& event_id : event_ids) cache_.erase(event_id);
  }
  /// A room's bodies are gone, whichever those are.
  void clear() {
    const std::lock_guard lock(mutex_);
    ++changes_;
    cache_.clear();
  }
  std::size_t bytes() const { return cache_.bytes(); }

 private:
  struct Kept {
    Pointer body;
    std::uint64_t generation;  ///< of its room's shard
  };
  std::uint64_t generation(const RoomId& room) const {
    return store_.ownership().generation(log::lane_of(room.view()));
  }
  void insert(Pointer body, std::uint64_t generation) {
    const std::size_t bytes =
        sizeof(Kept) + sizeof(api::EventBody) + body->event.text.size() + 3 * body->event_id.view().size() + 128;
    const EventId event_id = body->event_id;
    cache_.insert(event_id, std::make_shared<Kept>(Kept{std::move(body), generation}), bytes);
  }

  const storage::Store& store_;
  mutable std::mutex mutex_;
  std::uint64_t changes_ = 0;
  BoundedCache<EventId, Kept> cache_;
};

}  // namespace backplane::room_server
