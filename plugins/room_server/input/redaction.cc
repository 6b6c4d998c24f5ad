#include "input/redaction.h"

#include <utility>

#include "backplane/matrix/client_event.h"
#include "backplane/matrix/redaction.h"
#include "input/content.h"
#include "input/new_event.h"

namespace backplane::room_server {
namespace {

/// Stores a changed body, publishes it and notes it for the cache. Answers the record's position, if clients know the
/// event.
std::optional<log::Position> change_body(Environment& environment, storage::Write& write, const RoomRow& room,
                                         EventRow& row, ChangedBodies& changed) {
  ++row.content_version;
  tables::replace_json(write, room.number, row);
  api::RoomEventRecord record;
  record.kind = api::RoomEventKind::redacted;
  record.room_id = room.room_id;
  record.room_version = room.version;
  record.event_id = row.event_id;
  if (row.json.size() <= matrix::max_event_bytes) record.event.text = row.json;
  record.content_version = row.content_version;
  record.topological = row.depth;
  record.type = row.type;
  record.sender = row.sender;
  record.history_visibility = row.history_visibility;
  changed.push_back(std::make_shared<api::EventBody>(
      api::EventBody{row.event_id, room.room_id, {row.json}, room.version, row.content_version}));
  if (!is_published(row.status)) return std::nullopt;
  return environment.publisher.publish(write, room.room_id.view(), to_json(record));
}

std::string add_unsigned(std::string event, std::string_view members) {
  event.pop_back();
  event.append(",\"unsigned\":{").append(members).append("}}");
  return event;
}

/// What replaced the target tells of its content, in `unsigned`: that goes too.
void redact_prev_content(EventRow& successor, std::string_view content) {
  const auto document = json::Document::parse_object(successor.json);
  if (!document) return;
  Content event = Content::parse_canonical(successor.json);
  const auto before = event.find_raw("unsigned");
  if (!before) return;
  Content data = Content::parse_canonical(*before);
  if (!data.has("prev_content")) return;
  data.set_raw("prev_content", std::string(content));
  event.set_raw("unsigned", data.canonical());
  successor.json = event.canonical();
}

}  // namespace

std::string redacted_json(std::string_view event, const matrix::Event& redaction, const RoomId& room_id) {
  std::string client_event;
  matrix::append_client_event(client_event, redaction, room_id.view());
  // Canonical, as all that is stored, so that the bytes stay the same whoever carries them.
  return add_unsigned(matrix::redact_json(event, redaction.room_version()),
                      "\"redacted_because\":" + Content::parse_canonical(client_event).canonical());
}

std::optional<log::Position> apply_redaction(Environment& environment, storage::Write& write, const RoomRow& room,
                                             std::int64_t ordinal, const matrix::Event& redaction,
                                             ChangedBodies& changed) {
  auto row = tables::find_event(write, room.number, ordinal);
  if (!row) return std::nullopt;
  const auto data = json::find_raw(row->json, "unsigned");
  if (data && json::find_raw(*data, "redacted_because")) return std::nullopt;
  row->json = redacted_json(row->json, redaction, room.room_id);
  const std::string content(json::find_raw(row->json, "content").value_or("{}"));
  std::optional<log::Position> position = change_body(environment, write, room, *row, changed);
  if (!row->state_key) return position;
  for (EventRow& next : tables::list_successors(write, room.number, row->event_id)) {
    const std::string before = next.json;
    redact_prev_content(next, content);
    if (next.json == before) continue;
    if (const auto later = change_body(environment, write, room, next, changed)) position = later;
  }
  if (tables::is_current(write, room.number, *row))
    store_summary(write, room.number, row->type, *row->state_key, content);
  return position;
}

}  // namespace backplane::room_server
