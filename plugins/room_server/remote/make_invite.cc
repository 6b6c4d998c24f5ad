#include "remote/make_invite.h"

#include <utility>

#include "backplane/matrix/client_event.h"
#include "backplane/matrix/event_hash.h"
#include "backplane/matrix/server_event.h"
#include "input/input.h"

namespace backplane::room_server {

Result<MadeInvite> make_invite(Environment& environment, const api::ChangeMembershipRequest& request) {
  BACKPLANE_CHECK(matrix::parse_user_id(request.target.user.view()));
  BACKPLANE_TRY(content, membership_content(request));
  matrix::EventDraft draft;
  draft.sender = request.sender;
  draft.type = "m.room.member";
  draft.state_key = request.target.user.str();
  draft.content = content.canonical();
  MadeInvite made;
  BACKPLANE_TRY(lane, environment.lanes.enter(request.room_id));
  BACKPLANE_CHECK(place_draft(environment, lane.head(), draft));
  const auto add = [&](std::string_view type, std::string_view state_key) -> Result<void> {
    const HeadState* const entry = lane.head().find(type, state_key);
    if (entry == nullptr) return {};
    BACKPLANE_TRY(event, lane.event_of(*entry));
    made.room_state.push_back({matrix::server_event(event.json())});
    return {};
  };
  for (const std::string_view type : matrix::stripped_state_types) BACKPLANE_CHECK(add(type, ""));
  BACKPLANE_CHECK(add("m.room.member", request.sender.view()));
  const matrix::RoomVersion& version = lane.head().version();
  BACKPLANE_CHECK(leave_when_stored(lane));
  BACKPLANE_TRY(event, matrix::build_event(draft, version, *environment.signing_key));
  made.event = std::move(event);
  return made;
}

Result<log::Position> accept_invite(Environment& environment, const matrix::Event& made, const json::Raw& answered) {
  const auto event = matrix::Event::parse_untrusted(answered.text, made.room_version());
  if (!event || event->event_id() != made.event_id() || event->content() != made.content())
    return incomplete("bad_answer", "the other server signed another event than the invite");
  const api::ReceiveEventsRequest request{made.room_id(),
                                          {{{std::string(event->json())}, api::ReceivedKind::new_event, std::nullopt}}};
  BACKPLANE_TRY(response, receive_events(environment, request));
  const api::ReceivedResult& result = response.results.front();
  if (result.outcome != api::ReceivedOutcome::accepted && result.outcome != api::ReceivedOutcome::known)
    return denied("forbidden", "the room has changed, and does not allow the invite any more: " + result.reason);
  BACKPLANE_TRY(position, environment.store.read([&](storage::Session& session) -> std::optional<log::Position> {
    const auto room = tables::find_room(session, made.room_id());
    const auto stored = room ? tables::find_event(session, room->number, made.event_id()) : std::nullopt;
    return stored ? std::optional(stored->position) : std::nullopt;
  }));
  if (!position) return internal_error("the invite of " + made.room_id().str() + " is not stored");
  return *position;
}

}  // namespace backplane::room_server
