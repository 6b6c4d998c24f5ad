// From a draft to what is stored and published: the steps that every new event of a room takes. Inside the room's
// lane, or on the head of a room that nobody knows yet.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backplane/matrix/event.h"
#include "backplane/matrix/event_builder.h"
#include "environment.h"
#include "input/redaction.h"
#include "store.h"

namespace backplane::room_server {

/// A change of current state, to be stored.
struct CurrentState {
  StateRow row;
  bool is_new = false;  ///< of a type and state key that the room did not have
  matrix::Event event;  ///< without `unsigned`; none when no event is current any more
};

/// An event that was built or received and applied to the head, and has to be stored.
struct NewEvent {
  matrix::Event event;                 ///< without `unsigned`
  EventRow row;                        ///< its position is given when it is stored
  StateSnapshotPointer before, after;  ///< the states; none of an outlier
  bool was_outlier = false;
  bool meets_state = false;  ///< has a type and state key that the room did not have
  std::optional<StateEventRow> state_event;
  std::vector<StateSnapshotPointer> snapshots;            ///< those that are new
  std::vector<CurrentState> states;                       ///< what it changed: itself, and by resolution others
  std::vector<std::string> state_changes;                 ///< the records of those others
  std::optional<std::int64_t> joined_members;             ///< when it has changed
  std::optional<ForwardExtremities> forward_extremities;  ///< likewise
  std::vector<EventId> missing;                           ///< those of its prev_events that have no place
  bool was_missing = false;                               ///< was one of these for another
  std::optional<std::int64_t> redacts;                    ///< the ordinal of the event that it redacts
  EventId redacts_later;                                  ///< one that it is to redact when it comes
  bool was_awaited = false;                               ///< by a redaction

  GraphEvent place() const {
    return {event, row.ordinal, row.status, before, after, state_event, missing, redacts_later};
  }
};

/// A list of it: for an initializer's list it would be copied.
inline std::vector<NewEvent> one(NewEvent event) {
  std::vector<NewEvent> events;
  events.push_back(std::move(event));
  return events;
}

/// Whose device a new event comes from.
struct Origin {
  DeviceId device;
  TransactionId transaction_id;
};

/// Whether databases have a form for it, and JSON: it may come from a path, or from another server.
bool is_text(std::string_view text);
/// Fills in what the authorization rules look at.
void complete_draft(Environment& environment, const RoomHead& head, matrix::EventDraft& draft);
/// Fills in all that follows from the head (its id in room versions 1 and 2 as that of an event of this server), and
/// checks the rules. Answers the auth events. Errors: denied/forbidden, the store's.
Result<std::vector<const HeadState*>> place_draft(Environment& environment, RoomHead& head, matrix::EventDraft& draft);
/// The same, and builds, signs and applies the event. `replaced` is the current event of a state draft's type and state
/// key, for `unsigned`; it may be empty. Errors: denied/forbidden (nothing has changed then), invalid/too_large.
Result<NewEvent> make_event(Environment& environment, RoomHead& head, matrix::EventDraft draft,
                            const matrix::Event& replaced, Origin origin);
/// The row of the state that a type and state key have now.
StateRow state_row(std::string_view type, std::string_view state_key, const HeadState& entry);
/// Whether the rules would allow the draft. Errors: denied/forbidden.
Result<void> check_draft(Environment& environment, const RoomHead& head, const matrix::EventDraft& draft);

/// The event with what this server adds: what it came in the place of, which may be none.
std::string with_unsigned(const matrix::Event& event, const matrix::Event& replaced);
/// The record of an event, as JSON; the same when it happens and ever after in the snapshot.
std::string record_payload(const RoomRow& room, const EventRow& event);

/// Takes what the room directory shows of a state event that is current now.
void store_summary(storage::Write& write, RoomNumber room, std::string_view type, std::string_view state_key,
                   std::string_view content);
/// Publishes and stores what was applied to a room's head, in its order. Each position is in its event then; answers
/// the last one, which may be of a redacted event. `changed`: the bodies that became others.
std::optional<log::Position> store_events(Environment& environment, storage::Write& write, const RoomRow& room,
                                          std::span<NewEvent> events, ChangedBodies& changed);

}  // namespace backplane::room_server
