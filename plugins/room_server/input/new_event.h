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
#include "store.h"

namespace backplane::room_server {

/// An event that was allowed, built and applied to the head, and has to be stored.
struct NewEvent {
  matrix::Event event;  ///< without `unsigned`
  EventRow row;         ///< its position is given when it is stored
  std::optional<StateRow> state;
  std::optional<StateRow> replaced;            ///< what `state` comes in the place of
  std::optional<std::int64_t> joined_members;  ///< when it has changed
};

/// Whose device a new event comes from.
struct Origin {
  DeviceId device;
  TransactionId transaction_id;
};

/// Fills in what follows from the head, checks the rules, builds, signs and applies the event. `replaced` is the
/// current event of a state draft's type and state key, for `unsigned`; it may be empty.
/// Errors: denied/forbidden (nothing has changed then), invalid/too_large.
Result<NewEvent> make_event(Environment& environment, RoomHead& head, matrix::EventDraft draft,
                            const matrix::Event& replaced, Origin origin);
/// Whether the rules would allow the draft. Errors: denied/forbidden.
Result<void> check_draft(Environment& environment, const RoomHead& head, const matrix::EventDraft& draft);

/// The record of an event, as JSON; the same when it happens and ever after in the snapshot.
std::string record_payload(const RoomRow& room, const EventRow& event);

/// Takes what the room directory shows of a state event that is current now.
void store_summary(storage::Write& write, RoomNumber room, std::string_view type, std::string_view state_key,
                   std::string_view content);
/// Publishes and stores the events of a room, at least one, in their order; answers the position of the last one. Each
/// position is in its event too then.
log::Position store_events(Environment& environment, storage::Write& write, const RoomRow& room,
                           std::span<NewEvent> events);

}  // namespace backplane::room_server
