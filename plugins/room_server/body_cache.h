// Bodies of events that others asked for, bounded in bytes. A body that a redaction changes is replaced when that is
// committed, and a body that was read before does not come back after it. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "backplane/api/room_server.h"
#include "backplane/base/cache.h"

namespace backplane::room_server {

class BodyCache {
 public:
  using Pointer = std::shared_ptr<const api::EventBody>;
  /// When a read of the store began, as far as changes of bodies go.
  using Moment = std::uint64_t;

  explicit BodyCache(std::size_t max_bytes) : cache_(max_bytes) {}

  Pointer find(const EventId& event_id) { return cache_.find(event_id); }
  Moment moment() const {
    const std::lock_guard lock(mutex_);
    return changes_;
  }
  /// Keeps what was read since that moment, unless a body has changed meanwhile.
  void fill(Pointer body, Moment since) {
    const std::lock_guard lock(mutex_);
    if (since == changes_) insert(std::move(body));
  }
  /// The body is another one from now on.
  void replace(Pointer body) {
    const std::lock_guard lock(mutex_);
    ++changes_;
    insert(std::move(body));
  }
  std::size_t bytes() const { return cache_.bytes(); }

 private:
  void insert(Pointer body) {
    const std::size_t bytes = sizeof(api::EventBody) + body->event.text.size() + 3 * body->event_id.view().size() + 128;
    const EventId event_id = body->event_id;
    cache_.insert(event_id, std::move(body), bytes);
  }

  mutable std::mutex mutex_;
  Moment changes_ = 0;
  BoundedCache<EventId, api::EventBody> cache_;
};

}  // namespace backplane::room_server
