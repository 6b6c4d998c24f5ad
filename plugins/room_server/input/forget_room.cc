#include <utility>

#include "input/input.h"

namespace backplane::room_server {
namespace {

Error not_left(const api::RoomUserRequest& request) {
  return invalid("not_left", request.user.str() + " is in the room " + request.room_id.str());
}

}  // namespace

std::string forgotten_payload(const RoomRow& room, const UserId& user, const std::string& membership) {
  api::RoomEventRecord record;
  record.kind = api::RoomEventKind::forgotten;
  record.room_id = room.room_id;
  record.room_version = room.version;
  record.membership = api::MembershipChange{user, membership, membership};
  return to_json(record);
}

Result<api::PositionResponse> forget_room(Environment& environment, const api::RoomUserRequest& request) {
  // Outside the room's lane: it changes nothing that events build on, and the writer sees the membership that holds.
  return environment.store.write([&](storage::Write& write) -> Result<api::PositionResponse> {
    if (const auto held = tables::find_remote_membership(write, request.room_id, request.user)) {
      if (held->membership != "leave") return not_left(request);
      tables::delete_remote_membership(write, request.room_id, request.user);
      const RoomRow room{0, held->room_id, held->version};
      return api::PositionResponse{environment.publisher.publish(
          write, room.room_id.view(), forgotten_payload(room, request.user, held->membership))};
    }
    const auto found = tables::find_room_of_user(write, request.room_id, request.user);
    if (!found) return not_found("unknown_room", "this server does not know the room " + request.room_id.str());
    const auto& [room, history_visibility, member] = *found;
    if (!member) return denied("forbidden", "you were never in the room");
    if (member->membership != "leave" && member->membership != "ban") return not_left(request);
    if (member->forgotten) return api::PositionResponse{tables::find_forgotten(write, room, request.user)->position};
    ForgottenRow row{request.user, room, member->since(), member->membership, {}};
    row.position = environment.publisher.publish(write, room.room_id.view(),
                                                 forgotten_payload(room, request.user, member->membership));
    tables::replace_forgotten(write, row);
    return api::PositionResponse{row.position};
  });
}

}  // namespace backplane::room_server
