#include <algorithm>
#include <limits>

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

/// Spec: room version 1, "Event format": [event id, {"sha256": hash}]. The hash is not compared with anything: those of
/// old events are known to be wrong now and then, and the signature covers the ids.
std::optional<std::string_view> event_id_of_pair(json::View reference) {
  const auto parts = reference.elements();
  return parts.size() == 2 && parts[1].is_object() ? parts[0].as_string() : std::nullopt;
}

Result<void> check_references(json::View event, std::string_view key, std::size_t limit, const RoomVersion& version) {
  BACKPLANE_TRY(array, event.get_array(key));
  const auto references = array.elements();
  if (references.size() > limit) return bad_event("the event has too many " + std::string(key));
  const bool pairs = version.event_format == EventFormat::event_id_in_event;
  for (const json::View& reference : references) {
    const auto id = pairs ? event_id_of_pair(reference) : reference.as_string();
    if (!id || !parse_event_id(*id)) {
      return bad_event("an entry of " + std::string(key) +
                       (pairs ? " is not a pair of an event id and hashes" : " is not an event id"));
    }
  }
  return {};
}

/// Spec: room version 1, "Event IDs": $opaque_id:domain; its domain must sign the event, so it must be one.
Result<void> check_event_id(json::View event) {
  BACKPLANE_TRY(event_id, event.get_string("event_id"));
  BACKPLANE_CHECK(check_length("event_id", event_id));
  const auto colon = event_id.find(':');
  if (!parse_event_id(event_id) || colon == std::string_view::npos || !parse_server_name(event_id.substr(colon + 1))) {
    return bad_event("the event's event_id is not an event id with a server name");
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
  // A room id of a version before 12 names a server, as grammar and rule 1.2 of the authorization rules want it.
  const bool has_server = room_id.find(':') != std::string_view::npos;
  if (!parse_room_id(room_id) || (version.room_id_format == RoomIdFormat::with_domain && !has_server)) {
    return bad_event("the event's room_id is not a room id");
  }
  return {};
}

/// Spec: room versions, "Event format"; Client-Server API, "Size limits".
Result<void> check_format(json::View event, const RoomVersion& version, ReferenceLimits limits) {
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
  if (depth < 0 || depth > version.max_depth()) return bad_event("the event's depth is out of range");
  BACKPLANE_TRY(hashes, event.get_object("hashes"));
  BACKPLANE_CHECK(hashes.get_string("sha256"));
  BACKPLANE_CHECK(event.get_object("signatures"));
  const bool is_limited = limits == ReferenceLimits::checked;
  const std::size_t no_limit = std::numeric_limits<std::size_t>::max();  // but that of the event's size
  BACKPLANE_CHECK(check_references(event, "prev_events", is_limited ? max_prev_events : no_limit, version));
  BACKPLANE_CHECK(check_references(event, "auth_events", is_limited ? max_auth_events : no_limit, version));
  return version.event_format == EventFormat::event_id_in_event ? check_event_id(event) : Result<void>();
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

Result<Event> Event::parse_untrusted(json::View event, const RoomVersion& version, ReferenceLimits limits) {
  if (!event.is_object()) return bad_event("the event is not an object");
  if (version.strict_canonical_json && !event.has_strict_numbers()) {
    return bad_event("the event has a number that canonical JSON does not allow");
  }
  BACKPLANE_CHECK(check_format(event, version, limits));
  std::string json = canonical_without_unsigned(event);
  if (json.size() > max_event_bytes) return invalid("too_large", "the event is larger than 65536 bytes");

  EventId event_id = version.event_format == EventFormat::event_id_in_event
                         ? EventId(std::string(*event.find_string("event_id")))
                         : reference_event_id(json, version);
  const auto stated_hash = decode_base64(*event.find("hashes")->find_string("sha256"));
  const Sha256 computed_hash = content_hash(json);
  // Spec: Server-Server API, "Validating hashes and signatures on received events": when the hash does not match, "the
  // receiving server should use the redacted copy it calculated rather than the full copy it received".
  if (stated_hash != as_text(computed_hash)) json = redact_json(json, version);
  return from_stored(std::move(json), std::move(event_id), version);
}

Result<Event> Event::parse_untrusted(std::string_view text, const RoomVersion& version, ReferenceLimits limits) {
  json::ParseLimits parse_limits;
  parse_limits.max_bytes = 16 * max_event_bytes;  // white space and `unsigned` do not count
  BACKPLANE_TRY(document, json::Document::parse_object(text, parse_limits));
  return parse_untrusted(document.root(), version, limits);
}

}  // namespace backplane::matrix
