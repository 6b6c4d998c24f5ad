#include "backplane/matrix/event_builder.h"

#include <algorithm>
#include <charconv>

#include "backplane/matrix/event_hash.h"
#include "base/json_scanner.h"
#include "matrix/redaction_rules.h"

namespace backplane::matrix {
namespace {

void append_integer(std::string& out, std::int64_t value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

/// prev_events or auth_events in the format of the room version: ids, in versions 1 and 2 pairs of id and hashes.
void append_references(std::string& out, const std::vector<EventId>& ids, const std::vector<Sha256>& hashes,
                       const RoomVersion& version) {
  const bool pairs = version.event_format == EventFormat::event_id_in_event;
  out += '[';
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i != 0) out += ',';
    if (pairs) out += '[';
    json::append_quoted(out, ids[i].view());
    if (!pairs) continue;
    out += ",{\"sha256\":\"";
    out += base64(as_text(hashes[i]));
    out += "\"}]";
  }
  out += ']';
}

/// Spec: room version 11, "Moving the redacts property of m.room.redaction events to a content property".
std::string content_with_redacts(std::string_view content, const EventId& redacts) {
  std::string out = "{";
  bool written = false;
  const auto add = [&out](std::string_view key, std::string_view value) {
    out += out.size() == 1 ? "\"" : ",\"";
    out += key;
    out += "\":";
    out += value;
  };
  const std::string value = json::quoted(redacts.view());
  json::each_raw_member(content, [&](std::string_view key, std::string_view old) {
    if (!written && key >= "redacts") {
      add("redacts", value);
      written = true;
    }
    if (key != "redacts") add(key, old);
    return true;
  });
  if (!written) add("redacts", value);
  out += '}';
  return out;
}

/// The text between an event's variable parts, in the order of the sorted keys:
/// head content depth [hashes] times [redacts] room_and_sender [signatures] tail
struct Parts {
  std::string head;             // {"auth_events":[…],"content":
  std::string depth;            // ,"depth":1 and in room versions 1 and 2 ,"event_id":"…"
  std::string hashes;           // ,"hashes":{"sha256":"…"}
  std::string times;            // ,"origin_server_ts":1,"prev_events":[…]
  std::string redacts;          // ,"redacts":"…" or nothing
  std::string room_and_sender;  // ,"room_id":"…","sender":"…"
  std::string tail;             // ,"state_key":"…","type":"…"}
};

Parts parts_of(const EventDraft& draft, const RoomVersion& version) {
  Parts parts;
  parts.head = "{\"auth_events\":";
  parts.head.reserve(64 + draft.auth_events.size() * 48);
  append_references(parts.head, draft.auth_events, draft.auth_event_hashes, version);
  parts.head += ",\"content\":";
  parts.depth = ",\"depth\":";
  append_integer(parts.depth, std::clamp<std::int64_t>(draft.depth, 0, version.max_depth()));
  if (!draft.event_id.empty() && version.event_format == EventFormat::event_id_in_event) {
    parts.depth += ",\"event_id\":";
    json::append_quoted(parts.depth, draft.event_id.view());
  }
  parts.times = ",\"origin_server_ts\":";
  parts.times.reserve(64 + draft.prev_events.size() * 48);
  append_integer(parts.times, draft.origin_server_ts);
  parts.times += ",\"prev_events\":";
  append_references(parts.times, draft.prev_events, draft.prev_event_hashes, version);
  if (draft.redacts && !version.redacts_in_content) {
    parts.redacts = ",\"redacts\":";
    json::append_quoted(parts.redacts, draft.redacts->view());
  }
  if (!draft.room_id.empty()) {
    parts.room_and_sender += ",\"room_id\":";
    json::append_quoted(parts.room_and_sender, draft.room_id.view());
  }
  parts.room_and_sender += ",\"sender\":";
  json::append_quoted(parts.room_and_sender, draft.sender.view());
  if (draft.state_key) {
    parts.tail += ",\"state_key\":";
    json::append_quoted(parts.tail, *draft.state_key);
  }
  parts.tail += ",\"type\":";
  json::append_quoted(parts.tail, draft.type);
  parts.tail += '}';
  return parts;
}

template <class... Text>
void append(std::string& out, const Text&... texts) {
  (out.append(texts), ...);
}

Result<void> check_draft(const EventDraft& draft, const RoomVersion& version) {
  const auto too_long = [](std::string_view text) { return text.size() > max_event_key_bytes; };
  if (too_long(draft.type)) return invalid("too_large", "the event's type is longer than 255 bytes");
  if (draft.state_key && too_long(*draft.state_key)) {
    return invalid("too_large", "the event's state_key is longer than 255 bytes");
  }
  if (too_long(draft.sender.view())) return invalid("too_large", "the event's sender is longer than 255 bytes");
  if (too_long(draft.room_id.view())) return invalid("too_large", "the event's room_id is longer than 255 bytes");
  if (version.event_format != EventFormat::event_id_in_event) return {};
  if (draft.prev_event_hashes.size() != draft.prev_events.size() ||
      draft.auth_event_hashes.size() != draft.auth_events.size()) {
    return invalid("bad_draft",
                   "an event of room versions 1 and 2 needs the hashes of its prev_events and auth_events");
  }
  return {};
}

Result<void> check_id(const EventDraft& draft, const RoomVersion& version) {
  if (version.event_format != EventFormat::event_id_in_event) return {};
  if (draft.event_id.empty()) return invalid("bad_draft", "an event of room versions 1 and 2 needs an event id");
  if (draft.event_id.view().size() > max_event_key_bytes)
    return invalid("too_large", "the event's event_id is longer than 255 bytes");
  return {};
}

/// The content as it is in the event; `changed` is where it is kept when that is not the draft's.
std::string_view final_content(const EventDraft& draft, const RoomVersion& version, std::string& changed) {
  if (!draft.redacts || !version.redacts_in_content) return draft.content;
  changed = content_with_redacts(draft.content, *draft.redacts);
  return changed;
}

}  // namespace

Result<std::string> canonical_content(json::View content, const RoomVersion& version) {
  if (!content.is_object()) return invalid("bad_json", "the content of an event must be an object");
  if (version.strict_canonical_json && !content.has_strict_numbers()) {
    return invalid("bad_json", "the content has a number that is not an integer within ±(2^53-1)");
  }
  return content.canonical();
}

EventId new_event_id(const ServerName& server, Random& random) {
  return EventId('$' + random.text(24) + ':' + server.str());
}

Result<Event> build_event(const EventDraft& draft, const RoomVersion& version, const SigningKey& key) {
  BACKPLANE_CHECK(check_draft(draft, version));
  BACKPLANE_CHECK(check_id(draft, version));
  std::string changed_content;
  const std::string_view content = final_content(draft, version, changed_content);
  Parts parts = parts_of(draft, version);

  // Spec: Server-Server API, "Calculating the content hash for an event".
  std::string text;
  text.reserve(content.size() + parts.head.size() + parts.times.size() + parts.room_and_sender.size() +
               parts.tail.size() + 512);
  append(text, parts.head, content, parts.depth, parts.times, parts.redacts, parts.room_and_sender, parts.tail);
  parts.hashes = ",\"hashes\":{\"sha256\":\"" + base64(as_text(sha256(text))) + "\"}";

  // Signatures and the reference hash, which is the id from room version 3 on, cover the same bytes: the redacted event
  // without signatures. The top-level `redacts` is in no version's list of keys to keep.
  text.clear();
  text += parts.head;
  append_redacted_content(text, draft.type, content, version);
  append(text, parts.depth, parts.hashes, parts.times, parts.room_and_sender, parts.tail);
  EventId event_id =
      version.event_format == EventFormat::event_id_in_event ? draft.event_id : event_id_of_hash(sha256(text), version);
  const std::string signature = key.sign(text);

  text.clear();
  append(text, parts.head, content, parts.depth, parts.hashes, parts.times, parts.redacts, parts.room_and_sender,
         ",\"signatures\":{");
  const std::string_view sender = draft.sender.view();
  json::append_quoted(text, sender.substr(std::min(sender.find(':'), sender.size() - 1) + 1));
  append(text, ":{\"", key.key_id(), "\":\"", signature, "\"}}", parts.tail);
  if (text.size() > max_event_bytes) return invalid("too_large", "the event is larger than 65536 bytes");
  text.shrink_to_fit();
  return Event::from_stored(std::move(text), std::move(event_id), version);
}

Result<std::string> event_template(const EventDraft& draft, const RoomVersion& version, const ServerName& origin) {
  BACKPLANE_CHECK(check_draft(draft, version));
  EventDraft without_id = draft;
  without_id.event_id = {};
  const Parts parts = parts_of(without_id, version);
  std::string text, changed_content;
  append(text, parts.head, final_content(draft, version, changed_content), parts.depth,
         ",\"origin\":", json::quoted(origin.view()), parts.times, parts.redacts, parts.room_and_sender, parts.tail);
  if (text.size() > max_event_bytes) return invalid("too_large", "the event is larger than 65536 bytes");
  return text;
}

}  // namespace backplane::matrix
