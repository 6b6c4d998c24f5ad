#include <utility>

#include "query/query.h"

namespace backplane::room_server {

Result<RoomView> view_of_room(storage::Session& session, const RoomId& room_id, const UserId& user) {
  auto found = tables::find_room_of_user(session, room_id, user);
  if (!found) return not_found("unknown_room", "this server does not know the room " + room_id.str());
  const auto& member = found->member;
  // Spec: Client-Server API, Room History Visibility, world_readable: "with any authenticated user, regardless of
  // whether they have ever joined the room". So who has left is not told less than a stranger.
  // NOTSPEC: GET /rooms/{roomId}/state/{eventType}/{stateKey}, "If the user has left the room then the state is taken
  // from the state of the room when they left": a stranger may read the present state, so one who left may, too, as
  // /messages shows it.
  if ((member && member->membership == "join") || found->history_visibility == "world_readable")
    return RoomView{std::move(found->room), std::nullopt};
  // Spec: GET /state, 403: "You aren't a member of the room and weren't previously a member of the room." An invite
  // does not change what one was. POST /forget: "will no longer be able to retrieve history for this room".
  if (!member || !member->left_at || member->forgot_history)
    return denied("not_in_room", user.str() + " is not in the room");
  return RoomView{std::move(found->room), *member->left_at};
}

Result<api::GetStateResponse> get_state(Environment& environment, const api::GetStateRequest& request) {
  return environment.store.read([&](storage::Session& session) -> Result<api::GetStateResponse> {
    BACKPLANE_TRY(view, view_of_room(session, request.room_id, request.user));
    api::GetStateResponse response;
    tables::each_state_body(session, view.room, view.at,
                            [&](api::EventBody body) { response.events.push_back(std::move(body)); });
    return response;
  });
}

Result<api::GetStateEventResponse> get_state_event(Environment& environment, const api::GetStateEventRequest& request) {
  return environment.store.read([&](storage::Session& session) -> Result<api::GetStateEventResponse> {
    BACKPLANE_TRY(view, view_of_room(session, request.room_id, request.user));
    auto body = tables::find_state_body(session, view.room, view.at, request.type, request.state_key);
    if (!body) return not_found("unknown_state", "the room has no such state event");
    return api::GetStateEventResponse{std::move(*body)};
  });
}

}  // namespace backplane::room_server
