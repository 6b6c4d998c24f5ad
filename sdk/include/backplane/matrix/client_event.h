// Events as clients see them (Client-Server API, "ClientEvent"), made by splicing the event's own bytes. In two steps,
// so that a reader of many rooms can keep the first one's result: the body is the same for everyone, `room_id` and
// `unsigned` depend on the request. Pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "backplane/base/export.h"
#include "backplane/matrix/event.h"
#include "backplane/matrix/membership.h"

namespace backplane::matrix {

/// What goes into `unsigned`; empty parts are left out.
struct UnsignedParts {
  std::optional<std::int64_t> age;         ///< milliseconds
  std::optional<Membership> membership;    ///< of the reader, at the event
  std::string_view transaction_id = {};    ///< only for the device that sent it
  std::string_view prev_content = {};      ///< raw JSON
  std::string_view replaces_state = {};    ///< an event id
  std::string_view redacted_because = {};  ///< raw JSON: the redaction as a client event
  std::string_view more_members = {};      ///< raw JSON members without braces: `"m.relations":{…}`
};

/// Appends the event's body: an object without its closing brace, `room_id` and `unsigned`. A redaction has `redacts`
/// both at the top level and in its content, whatever its room version (room version 11).
BACKPLANE_API void append_client_event_body(std::string& out, const Event& event);
BACKPLANE_API std::string client_event_body(const Event& event);

/// Appends a whole client event, from its body. `room_id` is left out when empty, as /sync wants it.
BACKPLANE_API void append_client_event(std::string& out, std::string_view body, std::string_view room_id,
                                       const UnsignedParts& unsigned_parts);
/// The two steps in one.
BACKPLANE_API void append_client_event(std::string& out, const Event& event, std::string_view room_id,
                                       const UnsignedParts& unsigned_parts = {});

/// The types of the state that tells an invited user about a room (Client-Server API, "Stripped state"): each with an
/// empty state key, beside the membership.
inline constexpr std::array<std::string_view, 7> stripped_state_types{
    "m.room.create", "m.room.join_rules",      "m.room.name",      "m.room.avatar",
    "m.room.topic",  "m.room.canonical_alias", "m.room.encryption"};
/// Appends the stripped form (Client-Server API, "Stripped state"): sender, type, state_key and content.
BACKPLANE_API void append_stripped_state_event(std::string& out, const Event& event);

}  // namespace backplane::matrix
