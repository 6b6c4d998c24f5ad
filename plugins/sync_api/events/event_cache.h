// Events in the form that clients get, made once and shared by every response that carries them. Bodies come with
// records, or in batches from room_server (wire 2); nothing here is stored. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "backplane/api/room_server.h"
#include "backplane/base/cache.h"
#include "backplane/matrix/client_event.h"
#include "backplane/matrix/event.h"

namespace backplane::sync_api {

/// One event, ready to be spliced. Immutable.
struct ClientEvent {
  matrix::Event event;
  std::string body;  ///< matrix::client_event_body
  std::int64_t content_version = 0;
  // Views into the event's `unsigned`, which are the same for every reader.
  std::string_view prev_content, redacted_because, more_members;
  std::string replaces_state;

  std::size_t bytes() const { return sizeof(ClientEvent) + body.size() + event.memory_bytes() + 128; }
};
using EventPtr = std::shared_ptr<const ClientEvent>;

/// Nothing for a body that is no event of a version known here.
EventPtr make_client_event(const EventId& event_id, const json::Raw& event, const RoomVersionId& version,
                           std::int64_t content_version);

/// What differs between readers of one event.
struct ReaderParts {
  std::int64_t now_ms = 0;
  std::optional<matrix::Membership> membership{};
  std::string_view transaction_id{};
};
/// Appends the event; `room_id` is left out when empty, as in /sync.
void append_event(std::string& out, const ClientEvent& event, std::string_view room_id, const ReaderParts& reader);

/// Whether work may wait (for the database, for other components), and for how long.
struct Access {
  bool may_block = true;
  api::CallContext context;
};
/// The answer of work that must not wait and would have to. Never reaches a client.
Error would_block();
bool is_would_block(const Error& error);

class EventCache {
 public:
  using Found = std::unordered_map<EventId, EventPtr>;
  /// More than that are for each().
  static constexpr std::size_t held_at_once = 1000;
  EventCache(api::RoomServer& rooms, std::size_t max_bytes) : rooms_(rooms), cache_(max_bytes) {}

  EventPtr find(const EventId& event_id) { return cache_.find(event_id); }
  /// Keeps an event, unless a newer version of its body has been seen.
  void insert(const EventPtr& event);
  /// From now on only this version or a later one is taken.
  void raise(const EventId& event_id, std::int64_t content_version);
  /// Those of the events that there are: from the cache, the others in one call for each hundred. Absent ones have no
  /// body any more. Errors: those of the call; would_block().
  Result<Found> get(const Access& access, std::span<const EventId> event_ids);
  /// The same for very many events, which are neither held all at once nor kept: calls `use` with each that there is,
  /// by its place in the list, in that order.
  Result<void> each(const Access& access, std::span<const EventId> event_ids,
                    const std::function<void(std::size_t place, const ClientEvent& event)>& use);
  std::size_t bytes() const { return cache_.bytes(); }

 private:
  Result<Found> find_or_ask(const Access& access, std::span<const EventId> event_ids, bool keep);

  api::RoomServer& rooms_;
  BoundedCache<EventId, ClientEvent> cache_;
  std::mutex mutex_;
  std::unordered_map<EventId, std::int64_t> least_version_;  // of events redacted lately
};

}  // namespace backplane::sync_api
