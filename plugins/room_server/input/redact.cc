// A redaction: the redaction's own event, and what it does to the stored events, in one transaction.
#include <utility>

#include "backplane/matrix/redaction.h"
#include "input/input.h"
#include "input/redaction.h"

namespace backplane::room_server {

Result<Submitted> submit_redaction(Environment& environment, const api::SubmitDraftRequest& request,
                                   const EventId& target, std::string content) {
  const api::Draft& draft = request.draft;
  auto found = environment.store.read([&](storage::Session& session) -> std::optional<EventRow> {
    const auto room = tables::find_room(session, draft.room_id);
    return room ? tables::find_event(session, room->number, target) : std::nullopt;
  });
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
    complete_draft(environment, head, event);
    BACKPLANE_CHECK(check_draft(environment, head, event));
    if (!*found) return not_found("unknown_event", "the room has no event " + target.str());
    const EventRow& row = **found;
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
    made.redacts = row.ordinal;
    return Attempt{submit_events(environment, lane, one(std::move(made)), name.transaction_key), {}, {}};
  });
}

}  // namespace backplane::room_server
