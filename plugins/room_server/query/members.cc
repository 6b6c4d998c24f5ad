#include <utility>

#include "query/query.h"

namespace backplane::room_server {

Result<api::JoinedMembersResponse> list_joined_members(Environment& environment, const api::RoomUserRequest& request) {
  return environment.store.read([&](storage::Session& session) -> Result<api::JoinedMembersResponse> {
    const auto room = tables::find_room(session, request.room_id);
    if (!room) return not_found("unknown_room", "this server does not know the room " + request.room_id.str());
    const auto member = tables::find_member(session, room->number, request.user);
    if (!member || member->membership != "join")
      return denied("not_in_room", request.user.str() + " is not in the room");
    api::JoinedMembersResponse response;
    tables::each_joined_member(session, room->number, [&](UserId user, std::string_view json) {
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
    const auto room = tables::find_room(session, request.room_id);
    if (!room) return not_found("unknown_room", "this server does not know the room " + request.room_id.str());
    auto member = tables::find_member(session, room->number, request.user);
    if (!member) return api::FindMembershipResponse{};
    return api::FindMembershipResponse{std::move(member->membership), std::move(member->event_id)};
  });
}

}  // namespace backplane::room_server
