// State resolution: what the state of a room is where branches of its history meet, so that every server comes to the
// same one. Asked by room_server for events with several prev_events and for rooms with several forward extremities.
//
// The algorithms of the specification (room version 1; 2 to 11; 12, "State resolution") as pure functions over state
// maps and a source of events. The result does not depend on the order of the states. Time and memory grow with the
// auth chains of what is in conflict, and once, if there is an auth difference at all, with those of the rest.
#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "backplane/base/export.h"
#include "backplane/base/result.h"
#include "backplane/matrix/event.h"
#include "backplane/matrix/ids.h"
#include "backplane/matrix/room_version.h"

namespace backplane::matrix {

struct StateKey {
  std::string type;
  std::string state_key;
  auto operator<=>(const StateKey&) const = default;
};
/// A room's state: the id of the event for every type and state key.
using StateMap = std::map<StateKey, EventId>;

/// Where state resolution finds the events of the states and of their auth chains. Used by one thread at a time.
class BACKPLANE_API EventSource {
 public:
  struct Found {
    Event event;            ///< no event when it is not known here
    bool rejected = false;  ///< was not allowed by the state before it ("Checks performed on receipt of a PDU", 5)
  };
  virtual ~EventSource();
  virtual Found find(const EventId& event_id) = 0;
  /// These are asked for next: a source with a database reads them at once. The default does nothing.
  virtual void expect(std::span<const EventId> event_ids);
};

/// The resolution of the states, which are those after each of several events. Errors: incomplete/missing_event with
/// the field event_id, when the source does not know an event of the states or of an auth chain.
BACKPLANE_API Result<StateMap> resolve_state(const RoomVersion& version, std::span<const StateMap> states,
                                             EventSource& source);

/// The events of each key in conflict, and by number which of the states have them. A key that some state lacks is in
/// conflict too, but in room version 1.
using StateConflicts = std::map<StateKey, std::map<EventId, std::vector<std::size_t>>>;

/// What all the states agree on. Used by one thread at a time.
class BACKPLANE_API CommonState {
 public:
  virtual ~CommonState();
  /// The event of a key that is not in conflict; empty when there is none.
  virtual EventId find(const StateKey& key) = 0;
  /// Takes out those events that are in the auth chain of any event of this state. Errors: as resolve_state.
  virtual Result<void> remove_cited(std::vector<EventId>& event_ids) = 0;
};

/// The same for whoever keeps states in a form of his own, in which he finds what they agree on without making maps of
/// it: answers what differs from the common state. `states`: how many there are.
BACKPLANE_API Result<StateMap> resolve_conflicts(const RoomVersion& version, const StateConflicts& conflicts,
                                                 std::size_t states, CommonState& common, EventSource& source);

}  // namespace backplane::matrix
