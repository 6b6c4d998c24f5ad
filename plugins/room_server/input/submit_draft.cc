#include <utility>

#include "directory/directory.h"
#include "input/content.h"
#include "input/input.h"

namespace backplane::room_server {
namespace {

/// What no room can take, whatever its state.
Result<void> check_form(const api::Draft& draft) {
  if (draft.type.empty()) return invalid("invalid_param", "an event needs a type");
  if (draft.type.size() > matrix::max_event_key_bytes)
    return invalid("too_large", "the event's type is longer than 255 bytes");
  if (draft.state_key && draft.state_key->size() > matrix::max_event_key_bytes) {
    return invalid("too_large", "the event's state_key is longer than 255 bytes");
  }
  if (draft.content.text.size() > matrix::max_event_bytes) {
    return invalid("too_large", "the event is larger than 65536 bytes");
  }
  return {};
}

Result<Submitted> submit_event_of_any_type(Environment& environment, const api::SubmitDraftRequest& request,
                                           std::string content) {
  const api::Draft& draft = request.draft;
  const RequestName name = request_name(request.key);
  return submit_in_lane(environment, draft.room_id, name, [&](LaneGuard& lane) -> Result<Attempt> {
    matrix::EventDraft event;
    event.sender = draft.sender;
    event.type = draft.type;
    event.state_key = draft.state_key;
    event.content = content;
    event.origin_server_ts = draft.origin_server_ts.value_or(0);
    matrix::Event replaced;
    if (const HeadState* const entry = draft.state_key ? lane.head().find(draft.type, *draft.state_key) : nullptr) {
      BACKPLANE_TRY(current, lane.event_of(*entry));
      replaced = current;
      BACKPLANE_TRY(repeated, is_repeated_state(environment, lane, event, replaced));
      if (repeated) return Attempt{{}, *entry, {}};
    }
    BACKPLANE_TRY(made, make_event(environment, lane.head(), std::move(event), replaced,
                                   {request.key.device, request.key.transaction_id}));
    return Attempt{submit_events(environment, lane, one(std::move(made)), name.transaction_key), {}, {}};
  });
}

Result<Submitted> submit_by_type(Environment& environment, const api::SubmitDraftRequest& request) {
  const api::Draft& draft = request.draft;
  BACKPLANE_CHECK(check_form(draft));
  BACKPLANE_TRY(content, canonical_event_content(draft.content));
  if (draft.type == "m.room.create") return denied("forbidden", "a room has only one m.room.create event");
  if (draft.type == "m.room.member" && draft.state_key) {
    BACKPLANE_TRY(target, matrix::parse_user_id(*draft.state_key));
    return submit_membership(environment, {draft.room_id,
                                           draft.sender,
                                           std::move(target),
                                           std::nullopt,
                                           std::move(content),
                                           {request.key.device, request.key.transaction_id},
                                           request_name(request.key),
                                           draft.origin_server_ts.value_or(0),
                                           {}});
  }
  if (draft.type == "m.room.redaction" && !draft.state_key) {
    // Spec: room version 11, "Redactions": the target is in the content; clients may send it so by /send.
    EventId target = draft.redacts;
    if (target.empty()) target = EventId(json::find_raw_string(content, "redacts").value_or(""));
    if (target.empty()) return invalid("missing_param", "a redaction must say what it redacts");
    return submit_redaction(environment, request, target, std::move(content));
  }
  if (draft.type == "m.room.canonical_alias" && draft.state_key && draft.state_key->empty()) {
    BACKPLANE_CHECK(check_canonical_alias(environment, draft.room_id, content));
  }
  return submit_event_of_any_type(environment, request, std::move(content));
}

}  // namespace

Result<api::SubmitDraftResponse> submit_draft(Environment& environment, const api::SubmitDraftRequest& request) {
  auto submitted = submit_by_type(environment, request);
  if (!submitted) {
    if (submitted.error().code == ErrorCode::invalid) environment.meters.rejected_as_invalid.add();
    return std::move(submitted).error();
  }
  return api::SubmitDraftResponse{std::move(submitted->event_id), submitted->position};
}

}  // namespace backplane::room_server
