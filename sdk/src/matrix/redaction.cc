#include "backplane/matrix/redaction.h"

#include <algorithm>
#include <initializer_list>

#include "base/json_scanner.h"
#include "matrix/redaction_rules.h"

namespace backplane::matrix {
namespace {

bool one_of(std::string_view key, std::initializer_list<std::string_view> keys) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

/// Appends the members of a raw object as they are; begins with '{' or ',' as needed.
class RawObject {
 public:
  explicit RawObject(std::string& out) : out_(out) { out_ += '{'; }
  void add(std::string_view key, std::string_view value) {
    begin(key);
    out_ += value;
  }
  void begin(std::string_view key) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += key;
    out_ += "\":";
  }
  void end() { out_ += '}'; }

 private:
  std::string& out_;
  bool first_ = true;
};

/// Spec: room versions 1 to 12, "Redactions": the keys of the content that are kept.
bool keeps_content_key(std::string_view type, std::string_view key, const RoomVersion& v) {
  if (type == "m.room.member") {
    return key == "membership" || (v.redaction_keeps_authorising_user && key == "join_authorised_via_users_server");
  }
  if (type == "m.room.create") return key == "creator";
  if (type == "m.room.join_rules") {
    return key == "join_rule" || (v.redaction_keeps_join_rules_allow && key == "allow");
  }
  if (type == "m.room.power_levels") {
    return one_of(key,
                  {"ban", "events", "events_default", "kick", "redact", "state_default", "users", "users_default"}) ||
           (v.redaction_keeps_invite_level && key == "invite");
  }
  if (type == "m.room.history_visibility") return key == "history_visibility";
  if (type == "m.room.redaction") return v.redaction_keeps_redacts && key == "redacts";
  if (type == "m.room.aliases") return v.redaction_keeps_aliases && key == "aliases";
  return false;
}

bool keeps_some_content(std::string_view type) {
  return one_of(type, {"m.room.member", "m.room.create", "m.room.join_rules", "m.room.power_levels",
                       "m.room.history_visibility", "m.room.redaction", "m.room.aliases"});
}

bool keeps_event_key(std::string_view key, const RoomVersion& v) {
  return one_of(key, {"event_id", "type", "room_id", "sender", "state_key", "content", "hashes", "signatures", "depth",
                      "prev_events", "auth_events", "origin_server_ts"}) ||
         (v.redaction_keeps_origin_keys && one_of(key, {"origin", "membership", "prev_state"}));
}

}  // namespace

void append_redacted_content(std::string& out, std::string_view type, std::string_view content, const RoomVersion& v) {
  if (!keeps_some_content(type)) {
    out += "{}";
    return;
  }
  if (type == "m.room.create" && v.redaction_keeps_all_of_create) {
    out += content;
    return;
  }
  RawObject kept(out);
  json::each_raw_member(content, [&](std::string_view key, std::string_view value) {
    if (keeps_content_key(type, key, v)) {
      kept.add(key, value);
    } else if (v.redaction_keeps_third_party_signed && type == "m.room.member" && key == "third_party_invite") {
      // Spec: room version 11, "Redactions": "Additionally, it allows the signed key of the third_party_invite key."
      if (const auto signed_part = json::find_raw(value, "signed")) {
        kept.begin(key);
        RawObject invite(out);
        invite.add("signed", *signed_part);
        invite.end();
      }
    }
    return true;
  });
  kept.end();
}

void append_redacted_event(std::string& out, std::string_view event, const RoomVersion& v, bool with_signatures) {
  const std::string type = json::find_raw_string(event, "type").value_or("");
  RawObject kept(out);
  json::each_raw_member(event, [&](std::string_view key, std::string_view value) {
    if (!keeps_event_key(key, v) || (!with_signatures && key == "signatures")) return true;
    if (key == "content") {
      kept.begin(key);
      append_redacted_content(out, type, value, v);
    } else {
      kept.add(key, value);
    }
    return true;
  });
  kept.end();
}

std::string redact_content(std::string_view type, std::string_view content, const RoomVersion& version) {
  std::string out;
  append_redacted_content(out, type, content, version);
  return out;
}

std::string redact_json(std::string_view event, const RoomVersion& version) {
  std::string out;
  out.reserve(event.size());
  append_redacted_event(out, event, version, true);
  return out;
}

Event redact(const Event& event) {
  return Event::from_stored(redact_json(event.json(), event.room_version()), event.event_id(), event.room_version());
}

}  // namespace backplane::matrix
