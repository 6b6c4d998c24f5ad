// Makes events of this server: from a draft to canonical bytes with content hash, signature and id, in one pass and
// without parsing. Pure functions; most of the time goes to the signature.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/encoding.h"
#include "backplane/base/export.h"
#include "backplane/base/json.h"
#include "backplane/base/random.h"
#include "backplane/base/result.h"
#include "backplane/matrix/event.h"
#include "backplane/matrix/signing.h"

namespace backplane::matrix {

struct EventDraft {
  RoomId room_id;  ///< of a create event in room version 12: empty, it follows from the event
  UserId sender;   ///< its server signs
  std::string type;
  std::optional<std::string> state_key;
  std::string content = "{}";  ///< canonical JSON of an object, as canonical_content() makes it
  std::vector<EventId> prev_events;
  std::vector<EventId> auth_events;
  std::int64_t depth = 0;  ///< capped at the largest of the room version
  std::int64_t origin_server_ts = 0;
  std::optional<EventId> redacts;  ///< put where the room version has it

  // Room versions 1 and 2 only.
  EventId event_id = {};  ///< made up by the sender's server: new_event_id()
  /// The reference hashes of prev_events and auth_events (event_hash.h), as many and in the same order.
  std::vector<Sha256> prev_event_hashes = {}, auth_event_hashes = {};
};

/// A new event id for room versions 1 and 2: `$opaque:server`.
BACKPLANE_API EventId new_event_id(const ServerName& server, Random& random);

/// What a client sent as the content of an event, as canonical JSON. Errors: invalid/bad_json when it is no object or
/// has numbers that the room version does not allow.
BACKPLANE_API Result<std::string> canonical_content(json::View content, const RoomVersion& version);

/// Errors: invalid/too_large when the event or one of its keys exceeds the limits of the specification;
/// invalid/bad_draft in room versions 1 and 2 for a draft without an id or with too few hashes.
BACKPLANE_API Result<Event> build_event(const EventDraft& draft, const RoomVersion& version, const SigningKey& key);

/// The draft as canonical JSON without id, hashes and signatures: what the sender's server makes its event of
/// (Server-Server API, GET /make_join). `origin`: who answers. Errors as build_event.
BACKPLANE_API Result<std::string> event_template(const EventDraft& draft, const RoomVersion& version,
                                                 const ServerName& origin);

}  // namespace backplane::matrix
