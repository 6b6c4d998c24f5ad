// What the states of a room come to where its history meets, over snapshots: finds in numbers what they do not agree
// on, and has only that resolved. Belongs to the room's lane.
#pragma once

#include <optional>
#include <span>

#include "backplane/base/result.h"
#include "backplane/matrix/event.h"
#include "backplane/matrix/room_version.h"
#include "state/auth_index.h"
#include "state/state_snapshot.h"

namespace backplane::room_server {

/// An event that is here, whatever became of it.
struct KnownEvent {
  matrix::Event event;
  std::uint32_t ordinal = 0;
  bool rejected = false;
};

/// Where the resolver finds what numbers mean.
class RoomEvents {
 public:
  virtual ~RoomEvents() = default;
  /// Errors: internal for an event that should be there, and the store's.
  virtual Result<KnownEvent> get_event(std::uint32_t ordinal) = 0;
  virtual Result<std::optional<KnownEvent>> find_event(const EventId& event_id) = 0;
  /// 0: the room never had such state.
  virtual StateNumber find_number(std::string_view type, std::string_view state_key) = 0;
};

/// What has to be changed in the first of the states to come to their resolution. `auth_index` must have every state
/// event. Errors: incomplete/missing_event, and those of `events`.
Result<StateDelta> resolve_snapshots(const matrix::RoomVersion& version, std::span<const StateSnapshotPointer> states,
                                     const AuthIndex& auth_index, RoomEvents& events);

}  // namespace backplane::room_server
