#include <algorithm>

#include "backplane/base/encoding.h"
#include "backplane/matrix/event.h"
#include "backplane/matrix/event_hash.h"
#include "backplane/matrix/redaction.h"

namespace backplane::matrix {
namespace {

Error bad_event(std::string text) { return invalid("bad_json", std::move(text)); }

Result<void> check_length(std::string_view name, std::string_view text) {
  if (text.size() > max_event_key_bytes) {
    return invalid("too_large", "the event's " + std::string(name) + " is longer than 255 bytes");
  }
  return {};
}

Result<void> check_event_ids(json::View event, std::string_view key, std::size_t limit) {
  BACKPLANE_TRY(array, event.get_array(key));
  const auto ids = array.elements();
  if (ids.size() > limit) return bad_event("the event has too many " + std::string(key));
  for (const json::View& id : ids) {
    const auto text = id.as_string();
    if (!text || !parse_event_id(*text)) return bad_event("an entry of " + std::string(key) + " is not an event id");
  }
  return {};
}

Result<void> check_room_id(json::View event, std::string_view type, const RoomVersion& version) {
  // Spec: room version 12, event format: the create event has no room_id; authorization rules, 1.2.
  const bool implied = version.room_id_format == RoomIdFormat::create_event_hash && type == "m.room.create";
  if (implied) {
    return event.find("room_id") ? Result<void>(bad_event("the create event has a room_id")) : Result<void>();
  }
  BACKPLANE_TRY(room_id, event.get_string("room_id"));
  BACKPLANE_CHECK(check_length("room_id", room_id));
  return parse_room_id(room_id) ? Result<void>() : Result<void>(bad_event("the event's room_id is not a room id"));
}

/// Spec: room versions, "Event format"; Client-Server API, "Size limits".
Result<void> check_format(json::View event, const RoomVersion& version) {
  BACKPLANE_TRY(type, event.get_string("type"));
  BACKPLANE_CHECK(check_length("type", type));
  BACKPLANE_TRY(sender, event.get_string("sender"));
  BACKPLANE_CHECK(check_length("sender", sender));
  if (!parse_user_id(sender)) return bad_event("the event's sender is not a user id");
  BACKPLANE_CHECK(check_room_id(event, type, version));
  if (event.find("state_key")) {
    BACKPLANE_TRY(state_key, event.get_string("state_key"));
    BACKPLANE_CHECK(check_length("state_key", state_key));
  }
  BACKPLANE_CHECK(event.get_object("content"));
  BACKPLANE_CHECK(event.get_integer("origin_server_ts"));
  BACKPLANE_TRY(depth, event.get_integer("depth"));
  if (depth < 0) return bad_event("the event's depth is negative");
  BACKPLANE_TRY(hashes, event.get_object("hashes"));
  BACKPLANE_CHECK(hashes.get_string("sha256"));
  BACKPLANE_CHECK(event.get_object("signatures"));
  BACKPLANE_CHECK(check_event_ids(event, "prev_events", max_prev_events));
  return check_event_ids(event, "auth_events", max_auth_events);
}

std::string canonical_without_unsigned(json::View event) {
  auto members = event.members();
  std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string out;
  out.reserve(2048);
  json::Writer writer(out);
  writer.begin_object();
  for (const auto& [key, value] : members) {
    if (key != "unsigned") writer.member(key, value);
  }
  writer.end_object();
  return out;
}

}  // namespace

Result<Event> Event::parse_untrusted(json::View event, const RoomVersion& version) {
  if (version.event_format == EventFormat::event_id_in_event) {
    return invalid("unsupported_room_version", "events of this room version are not supported");
  }
  if (!event.is_object()) return bad_event("the event is not an object");
  if (version.strict_canonical_json && !event.has_strict_numbers()) {
    return bad_event("the event has a number that canonical JSON does not allow");
  }
  BACKPLANE_CHECK(check_format(event, version));
  std::string json = canonical_without_unsigned(event);
  if (json.size() > max_event_bytes) return invalid("too_large", "the event is larger than 65536 bytes");

  EventId event_id = reference_event_id(json, version);
  const auto stated_hash = decode_base64(*event.find("hashes")->find_string("sha256"));
  const Sha256 computed_hash = content_hash(json);
  // Spec: Server-Server API, "Validating hashes and signatures on received events": when the hash does not match, "the
  // receiving server should use the redacted copy it calculated rather than the full copy it received".
  if (stated_hash != as_text(computed_hash)) json = redact_json(json, version);
  return from_stored(std::move(json), std::move(event_id), version);
}

Result<Event> Event::parse_untrusted(std::string_view text, const RoomVersion& version) {
  json::ParseLimits limits;
  limits.max_bytes = 16 * max_event_bytes;  // white space and `unsigned` do not count
  BACKPLANE_TRY(document, json::Document::parse_object(text, limits));
  return parse_untrusted(document.root(), version);
}

}  // namespace backplane::matrix
