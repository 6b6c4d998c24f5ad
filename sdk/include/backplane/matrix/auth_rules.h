// The authorization rules of all room versions: may this event be, given that state? Asked by room_server for drafts of
// its own (against the head) and for received events: by the state that the auth events make and what is to be said of
// them (check 4 of "Checks performed on receipt of a PDU"), the state before the event (5) and the current state (6);
// and by state resolution. Pure functions; about a microsecond, but for third-party invites (a signature check each).
//
// Not checked here, because it needs keys of servers: that the event is signed by those whom required_signers()
// (event_hash.h) names, which is also what rule 4.2 of room version 8 (join_authorised_via_users_server) demands.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/export.h"
#include "backplane/base/result.h"
#include "backplane/matrix/auth_state.h"
#include "backplane/matrix/event.h"
#include "backplane/matrix/event_builder.h"

namespace backplane::matrix {

/// What the rules look at in an event or a draft, which must outlive it.
struct BACKPLANE_API AuthSubject {
  const RoomId* room_id = nullptr;
  const UserId* sender = nullptr;
  std::string_view type;
  std::optional<std::string_view> state_key;
  std::string_view content;  ///< canonical JSON
  std::size_t prev_event_count = 0;
  std::string_view first_prev_event;  ///< its id
  bool carries_room_id = true;        ///< false for a create event whose room id follows from it
  std::string_view event_id;          ///< room versions 1 and 2 only
  EventId redacts;                    ///< room versions 1 and 2 only: what an m.room.redaction event redacts

  static AuthSubject of(const Event& event);
  static AuthSubject of(const EventDraft& draft);
};

/// Why an event is not allowed. The texts are constants.
struct Rejection {
  std::string_view reason;  ///< a stable word, the same in all room versions: `not_own_join`
  std::string_view rule;    ///< its number on the page of the event's room version: `4.3.2`
  std::string_view text;    ///< for people
};
/// A Rejection as an error: denied/forbidden.
BACKPLANE_API Error to_error(const Rejection& rejection);

/// The rules but for those about auth_events. Nothing when the event is allowed.
BACKPLANE_API std::optional<Rejection> check_auth_rules(const AuthSubject& event, const RoomVersion& version,
                                                        const AuthState& state);

/// A member of a room's state.
struct StateEntry {
  std::string_view type;  ///< a constant
  std::string state_key;
  bool operator==(const StateEntry&) const = default;
};
/// Which of the current state events an event must name in auth_events, as far as they exist (Server-Server API, "Auth
/// events selection"). Empty for a create event.
BACKPLANE_API std::vector<StateEntry> required_auth_events(const AuthSubject& event, const RoomVersion& version);

struct AuthEvent {
  Event event;
  bool rejected = false;  ///< was not allowed itself
};
/// The rules about auth_events (rule 2, in room version 12 rules 2 and 3). `create_event` must be the
/// room's accepted create event, or no event; from room version 12 on it is not among auth_events.
BACKPLANE_API std::optional<Rejection> check_auth_events(const Event& event, std::span<const AuthEvent> auth_events,
                                                         const Event& create_event);

/// Whether a redaction that was allowed is to be carried out: both events are of one room and, from room version 3 on
/// ("Handling redactions"), its sender has the redact level or is of the same server as the sender of the redacted
/// event; before, the authorization rules have seen to that.
BACKPLANE_API bool may_apply_redaction(const Event& redaction, const Event& redacted, const PowerLevels& levels);

}  // namespace backplane::matrix
