// What other servers are in a room.
#include <utility>

#include "backplane/matrix/server_acl.h"
#include "query/query.h"

namespace backplane::room_server {
namespace {

Error unknown_room(const RoomId& room_id) {
  return not_found("unknown_room", "this server does not know the room " + room_id.str());
}

bool is_denied(storage::Session& session, const RoomRow& room, const ServerName& server) {
  const auto acl = tables::find_state_body(session, room, std::nullopt, "m.room.server_acl", "");
  return acl && !matrix::ServerAcl(json::find_raw(acl->event.text, "content").value_or("{}")).allows(server);
}

}  // namespace

Result<api::ServerInRoomResponse> get_server_in_room(Environment& environment,
                                                     const api::ServerInRoomRequest& request) {
  return environment.store.read([&](storage::Session& session) -> Result<api::ServerInRoomResponse> {
    const auto room = tables::find_room(session, request.room_id);
    if (!room) return unknown_room(request.room_id);
    return api::ServerInRoomResponse{room->version, tables::is_joined(session, room->number, request.server),
                                     is_denied(session, *room, request.server),
                                     tables::is_joined(session, room->number, environment.server_name)};
  });
}

Result<api::ServersInRoomResponse> list_servers_in_room(Environment& environment,
                                                        const api::ServersInRoomRequest& request) {
  return environment.store.read([&](storage::Session& session) -> Result<api::ServersInRoomResponse> {
    const auto room = tables::find_room(session, request.room_id);
    if (!room) return unknown_room(request.room_id);
    return api::ServersInRoomResponse{tables::list_joined_servers(session, room->number)};
  });
}

}  // namespace backplane::room_server
