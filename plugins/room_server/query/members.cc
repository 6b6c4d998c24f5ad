#include <utility>

#include "query/query.h"

namespace backplane::room_server {

Result<api::JoinedMembersResponse> list_joined_members(Environment& environment, const api::RoomUserRequest& request) {
  return environment.store.read([&](storage::Session& session) -> Result<api::JoinedMembersResponse> {
    const auto found = tables::find_room_of_user(session, request.room_id, request.user);
    if (!found) return not_found("unknown_room", "this server does not know the room " + request.room_id.str());
    // Spec: GET /joined_members, "The current user must be in the room for it to work", however visible it is.
    if (!found->member || found->member->membership != "join")
      return denied("not_in_room", request.user.str() + " is not in the room");
    api::JoinedMembersResponse response;
    tables::each_joined_member(session, found->room.number, [&](UserId user, std::string_view json) {
      const std::string_view content = json::find_raw(json, "content").value_or("{}");
      response.members.push_back({std::move(user), json::find_raw_string(content, "displayname"),
                                  json::find_raw_string(content, "avatar_url")});
    });
    return response;
  });
}

Result<api::ListJoinedRoomsResponse> list_joined_rooms(Environment& environment,
                                                       const api::ListJoinedRoomsRequest& request) {
  return environment.store.read([&](storage::Session& session) {
    return api::ListJoinedRoomsResponse{tables::list_joined_rooms(session, request.user)};
  });
}

Result<api::FindMembershipResponse> find_membership(Environment& environment, const api::RoomUserRequest& request) {
  return environment.store.read([&](storage::Session& session) -> Result<api::FindMembershipResponse> {
    auto found = tables::find_room_of_user(session, request.room_id, request.user);
    // Where this server is in the room, the room says it: as it does of its own users who are joined.
    const bool is_joined = found && found->member && found->member->membership == "join";
    if (!found || (!is_joined && !tables::is_joined(session, found->room.number, environment.server_name))) {
      auto held = tables::find_remote_membership(session, request.room_id, request.user);
      if (held) return api::FindMembershipResponse{std::move(held->membership), std::move(held->event_id)};
    }
    if (!found) return not_found("unknown_room", "this server does not know the room " + request.room_id.str());
    if (!found->member) return api::FindMembershipResponse{};
    return api::FindMembershipResponse{std::move(found->member->membership), std::move(found->member->event_id)};
  });
}

}  // namespace backplane::room_server
