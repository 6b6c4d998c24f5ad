// What is known of a room's events and of the states around them, whatever line they are on: the head's tips are one
// place in it. For whoever holds the room's lane, as long as he does; reads the store, and what is queued for it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "backplane/matrix/auth_state.h"
#include "lane/room_head.h"
#include "state/state_resolver.h"

namespace backplane::room_server {

/// Ids of events, and the ordinals of those whose ids are in the store.
struct EventIds {
  std::vector<EventId> known;
  std::vector<std::int64_t> stored;
};

class RoomGraph final : public RoomEvents {
 public:
  RoomGraph(storage::Store& store, RoomHead& head) : store_(store), head_(head) {}

  /// Nothing when the room does not have the event. Errors: the store's.
  Result<const GraphEvent*> find(const EventId& event_id);
  /// Errors: internal for an event that should be there, and the store's.
  Result<const GraphEvent*> get(std::int64_t ordinal);
  /// What events say of the room's state: nothing (number 0) when they are no state events or rejected. Those that the
  /// room does not have are not in it. Errors: the store's.
  Result<std::unordered_map<EventId, StateEntry>> find_state(std::span<const EventId> event_ids);
  /// An event that was placed meanwhile, and is not yet queued.
  void add(GraphEvent event);

  /// The resolution of states. A snapshot that is made for it is one of take_snapshots(). Errors: the store's,
  /// incomplete/missing_event.
  Result<StateSnapshotPointer> resolve(std::vector<StateSnapshotPointer> states);
  /// Those that were made since the last time, which are to be stored.
  std::vector<StateSnapshotPointer> take_snapshots() { return std::exchange(new_snapshots_, {}); }
  void add_snapshot(StateSnapshotPointer snapshot) { new_snapshots_.push_back(std::move(snapshot)); }

  /// The ids of state events, in no order, as far as they are at hand.
  EventIds known_ids(std::span<const StateEntry> events) const;
  Result<const AuthIndex*> auth_index();

  /// A state as the authorization rules look at it. Valid as long as this. Errors: as get().
  matrix::EventAuthState auth_state(const StateSnapshotPointer& state);
  /// What went wrong while somebody looked at an auth_state().
  Result<void> take_failure();

  // RoomEvents
  Result<KnownEvent> get_event(std::uint32_t ordinal) override;
  Result<std::optional<KnownEvent>> find_event(const EventId& event_id) override;
  StateNumber find_number(std::string_view type, std::string_view state_key) override {
    return head_.find_number(type, state_key);
  }

 private:
  const GraphEvent* keep(GraphEvent event);
  const GraphEvent* find_kept(const EventId& event_id) const;
  Result<const GraphEvent*> keep_stored(std::optional<EventRow> row);

  storage::Store& store_;
  RoomHead& head_;
  std::unordered_map<EventId, GraphEvent> events_;
  std::unordered_map<std::int64_t, const GraphEvent*> by_ordinal_;      ///< into events_
  std::map<std::vector<std::int64_t>, StateSnapshotPointer> resolved_;  ///< by the numbers of the states
  std::vector<StateSnapshotPointer> new_snapshots_;
  std::optional<Error> failure_;
};

}  // namespace backplane::room_server
