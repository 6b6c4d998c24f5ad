// What the room versions change, as data: code asks for the rule ("does a redaction keep this key?"), never for the
// number of a version. The table is constant: any thread, pointers into it live for ever.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "backplane/base/export.h"
#include "backplane/matrix/ids.h"

namespace backplane::matrix {

/// Where an event's id comes from, and how events refer to each other.
enum class EventFormat : std::uint8_t {
  event_id_in_event,        ///< 1, 2: made by the server, carried in the event; references are [id, hash] pairs
  reference_hash,           ///< 3: the reference hash in base64
  url_safe_reference_hash,  ///< 4 and later: in URL-safe base64
};

enum class RoomIdFormat : std::uint8_t {
  with_domain,        ///< !opaque:domain
  create_event_hash,  ///< 12: the create event's id with the sigil '!'; the create event has no room_id
};

enum class StateResolution : std::uint8_t { v1, v2, v2_1 };

struct RoomVersion {
  std::string_view id;
  EventFormat event_format = EventFormat::event_id_in_event;
  RoomIdFormat room_id_format = RoomIdFormat::with_domain;
  StateResolution state_resolution = StateResolution::v1;
  bool strict_canonical_json = false;  ///< 6: numbers must be integers within ±(2^53-1)
  bool enforce_key_validity = false;   ///< 5: signing keys must be valid at origin_server_ts

  // Redaction: what is kept.
  bool redaction_keeps_origin_keys = true;          ///< until 10: origin, membership and prev_state at the top level
  bool redaction_keeps_aliases = true;              ///< until 5: aliases of m.room.aliases
  bool redaction_keeps_join_rules_allow = false;    ///< 8
  bool redaction_keeps_authorising_user = false;    ///< 9: join_authorised_via_users_server of m.room.member
  bool redaction_keeps_all_of_create = false;       ///< 11: until then only creator
  bool redaction_keeps_redacts = false;             ///< 11: content.redacts of m.room.redaction
  bool redaction_keeps_invite_level = false;        ///< 11: invite of m.room.power_levels
  bool redaction_keeps_third_party_signed = false;  ///< 11: third_party_invite.signed of m.room.member
  bool redacts_in_content = false;                  ///< 11: a redaction names its target in its content

  // Authorization rules.
  bool auth_of_redactions = true;            ///< 1, 2: redactions are judged when they are authorized
  bool auth_of_aliases = true;               ///< until 5: m.room.aliases has a rule of its own
  bool auth_of_notification_levels = false;  ///< 6: changes of content.notifications are guarded
  bool knock = false;                        ///< 7
  bool restricted_join = false;              ///< 8
  bool knock_restricted_join = false;        ///< 10
  bool integer_power_levels = false;         ///< 10: no strings
  bool creator_is_sender = false;            ///< 11: until then content.creator
  bool privileged_creators = false;          ///< 12: creators have infinite power, additional_creators
  bool create_event_is_implied = false;      ///< 12: the create event is never among auth_events

  /// The largest depth of an event: 2^63-1, from room version 6 on 2^53-1.
  constexpr std::int64_t max_depth() const {
    return strict_canonical_json ? (std::int64_t{1} << 53) - 1 : std::numeric_limits<std::int64_t>::max();
  }
};

/// Any version of the specification; nullptr for an unknown one.
BACKPLANE_API const RoomVersion* find_room_version(std::string_view id);
inline const RoomVersion* find_room_version(const RoomVersionId& id) { return find_room_version(id.view()); }
/// All of them, lowest first.
BACKPLANE_API std::span<const RoomVersion> room_versions();

}  // namespace backplane::matrix
