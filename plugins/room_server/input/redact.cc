// A redaction: the redaction's own event, and what it does to the stored events, in one transaction.
#include <utility>

#include "backplane/matrix/client_event.h"
#include "backplane/matrix/redaction.h"
#include "input/content.h"
#include "input/input.h"

namespace backplane::room_server {
namespace {

/// A stored event, and the same as others will see it.
using ChangedBodies = std::vector<BodyCache::Pointer>;

/// Stores a changed body, publishes it and notes it for the cache. Answers the record's position.
log::Position change_body(Environment& environment, storage::Write& write, const RoomRow& room, EventRow& row,
                          ChangedBodies& changed) {
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
  return environment.publisher.publish(write, room.room_id.view(), to_json(record));
}

std::string with_unsigned(std::string event, std::string_view members) {
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

/// Takes away what the redaction redacts; all of it was done before when the target is redacted already.
void redact_stored(Environment& environment, storage::Write& write, Pending& pending, const RoomRow& room,
                   std::int64_t ordinal, const matrix::Event& redaction, ChangedBodies& changed) {
  changed.clear();
  auto row = tables::find_event(write, room.number, ordinal);
  if (!row) return;
  const auto data = json::find_raw(row->json, "unsigned");
  if (data && json::find_raw(*data, "redacted_because")) return;
  std::string client_event;
  matrix::append_client_event(client_event, redaction, room.room_id.view());
  // Canonical, as all that is stored, so that the bytes stay the same whoever carries them.
  const std::string because = "\"redacted_because\":" + Content::parse_canonical(client_event).canonical();
  std::string redacted = matrix::redact_json(row->json, redaction.room_version());
  const std::string content(json::find_raw(redacted, "content").value_or("{}"));
  row->json = with_unsigned(std::move(redacted), because);
  pending.set_position(change_body(environment, write, room, *row, changed));

  if (!row->state_key) return;
  if (const auto successor = tables::find_successor(write, room.number, row->type, *row->state_key, ordinal)) {
    auto next = tables::find_event(write, room.number, *successor);
    if (!next) return;
    const std::string before = next->json;
    redact_prev_content(*next, content);
    if (next->json != before) pending.set_position(change_body(environment, write, room, *next, changed));
  } else {
    store_summary(write, room.number, row->type, *row->state_key, content);
  }
}

}  // namespace

Result<Submitted> submit_redaction(Environment& environment, const api::SubmitDraftRequest& request,
                                   const EventId& target, std::string content) {
  const api::Draft& draft = request.draft;
  auto found = environment.store.read([&](storage::Session& session) { return tables::find_event(session, target); });
  if (!found) return std::move(found).error();
  const RequestName name = request_name(request.key);
  return submit_in_lane(environment, draft.room_id, name, [&](LaneGuard& lane) -> Result<Attempt> {
    RoomHead& head = lane.head();
    matrix::EventDraft event;
    event.sender = draft.sender;
    event.type = "m.room.redaction";
    event.content = content;
    event.redacts = target;
    event.origin_server_ts = draft.origin_server_ts.value_or(0);
    // One who may not speak here is not to learn which events there are.
    event.room_id = head.room_id();
    event.prev_events = head.prev_events();
    BACKPLANE_CHECK(check_draft(environment, head, event));
    const bool here = *found && (*found)->room == head.room().number;
    if (!here) return not_found("unknown_event", "the room has no event " + target.str());
    const EventRow& row = (*found)->event;
    // Spec: Client-Server API, "Redactions": one's own events, or with the redact level those of others.
    if (row.sender != draft.sender.str() && head.power_levels().of_user(draft.sender) < head.power_levels().redact()) {
      environment.meters.rejected_by_auth_rules.add();
      return denied("forbidden", "you may not redact events of others in this room");
    }
    BACKPLANE_TRY(
        made, make_event(environment, head, std::move(event), {}, {request.key.device, request.key.transaction_id}));
    if (const HeadState* const entry = row.state_key ? head.find(row.type, *row.state_key) : nullptr;
        entry != nullptr && entry->event_id == target) {
      head.put_event(matrix::redact(matrix::Event::from_stored(row.json, target, head.version())));
    }
    const auto changed = std::make_shared<ChangedBodies>();
    return Attempt{submit_event(
                       environment, lane, made, name.transaction_key,
                       [&environment, room = head.room(), ordinal = row.ordinal, redaction = made.event, changed](
                           storage::Write& write, Pending& pending) {
                         redact_stored(environment, write, pending, room, ordinal, redaction, *changed);
                       },
                       [&environment, changed] {
                         for (const auto& body : *changed) environment.bodies.replace(body);
                       }),
                   {},
                   {}};
  });
}

}  // namespace backplane::room_server
