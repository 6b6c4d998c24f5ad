#include "backplane/matrix/client_event.h"

#include "backplane/base/json.h"

namespace backplane::matrix {
namespace {

/// Spec: room version 11, "Moving the redacts property …": servers add what the format of the room version lacks.
std::string redaction_content(const Event& event, const EventId& redacts) {
  const std::string_view content = event.content();
  if (event.room_version().redacts_in_content || json::find_raw(content, "redacts")) return std::string(content);
  if (!content.starts_with('{')) return "{}";  // a stored event that is damaged
  std::string out = "{\"redacts\":";
  json::append_quoted(out, redacts.view());
  if (content.size() > 2) out += ',';
  out += content.substr(1);
  return out;
}

}  // namespace

void append_client_event_body(std::string& out, const Event& event) {
  const auto redacts = event.redacts();
  json::Writer writer(out);
  writer.begin_object().key("content");
  if (redacts) {
    writer.raw(redaction_content(event, *redacts));
  } else {
    writer.raw(event.content());
  }
  writer.member("event_id", event.event_id().view()).member("origin_server_ts", event.origin_server_ts());
  if (redacts) writer.member("redacts", redacts->view());
  writer.member("sender", event.sender().view());
  if (const auto state_key = event.state_key()) writer.member("state_key", *state_key);
  writer.member("type", event.type());
}

std::string client_event_body(const Event& event) {
  std::string out;
  out.reserve(event.content().size() + 320);
  append_client_event_body(out, event);
  return out;
}

void append_client_event(std::string& out, std::string_view body, std::string_view room_id,
                         const UnsignedParts& parts) {
  out += body;
  if (!room_id.empty()) {
    out += ",\"room_id\":";
    json::append_quoted(out, room_id);
  }
  out += ",\"unsigned\":";
  json::Writer writer(out);
  writer.begin_object();
  if (parts.age) writer.member("age", *parts.age);
  if (parts.membership) writer.member("membership", to_string(*parts.membership));
  if (!parts.transaction_id.empty()) writer.member("transaction_id", parts.transaction_id);
  if (!parts.prev_content.empty()) writer.raw_member("prev_content", parts.prev_content);
  if (!parts.replaces_state.empty()) writer.member("replaces_state", parts.replaces_state);
  if (!parts.redacted_because.empty()) writer.raw_member("redacted_because", parts.redacted_because);
  if (!parts.more_members.empty()) writer.raw(parts.more_members);
  writer.end_object();
  out += '}';
}

void append_client_event(std::string& out, const Event& event, std::string_view room_id, const UnsignedParts& parts) {
  append_client_event_body(out, event);
  append_client_event(out, std::string_view(), room_id, parts);
}

void append_stripped_state_event(std::string& out, const Event& event) {
  json::Writer writer(out);
  writer.begin_object().raw_member("content", event.content()).member("sender", event.sender().view());
  writer.member("state_key", event.state_key().value_or("")).member("type", event.type()).end_object();
}

}  // namespace backplane::matrix
