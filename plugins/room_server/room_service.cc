#include "room_service.h"

#include "directory/directory.h"
#include "input/input.h"
#include "missing/missing_events.h"
#include "query/query.h"
#include "remote/remote_memberships.h"

namespace backplane::room_server {
namespace {

/// A method that a function of (environment, request) answers.
template <class Request, class Response>
void bind_verb(api::Method<Request, Response>& method, Environment& environment,
               Result<Response> (*verb)(Environment&, const Request&)) {
  method.bind(
      [&environment, verb](const api::CallContext&, const Request& request) { return verb(environment, request); });
}

Result<api::RoomVersionsResponse> get_room_versions(Environment& environment, const api::Nothing&) {
  api::RoomVersionsResponse response{environment.default_room_version, {}};
  for (const auto& version : matrix::room_versions()) response.stable.emplace_back(version.id);
  return response;
}

}  // namespace

void bind(api::RoomServer& rooms, Environment& environment) {
  bind_verb(rooms.get_room_versions, environment, get_room_versions);
  rooms.create_room.bind([&environment](const api::CallContext&, const api::CreateRoomRequest& request,
                                        const api::Reply<api::CreateRoomResponse>& reply) {
    environment.remote_memberships->create_room(request, reply);
  });
  bind_verb(rooms.upgrade_room, environment, upgrade_room);
  bind_verb(rooms.submit_draft, environment, submit_draft);
  rooms.change_membership.bind([&environment](const api::CallContext&, const api::ChangeMembershipRequest& request,
                                              const api::Reply<api::ChangeMembershipResponse>& reply) {
    environment.remote_memberships->change(request, reply);
  });
  bind_verb(rooms.forget_room, environment, forget_room);
  bind_verb(rooms.delete_room, environment, delete_room);
  bind_verb(rooms.purge_history, environment, purge_history);
  bind_verb(rooms.receive_events, environment, receive_events);
  bind_verb(rooms.get_state_at_event, environment, get_state_at_event);
  bind_verb(rooms.get_state, environment, get_state);
  bind_verb(rooms.get_state_event, environment, get_state_event);
  bind_verb(rooms.list_joined_members, environment, list_joined_members);
  bind_verb(rooms.list_joined_rooms, environment, list_joined_rooms);
  bind_verb(rooms.find_membership, environment, find_membership);
  bind_verb(rooms.get_events, environment, get_events);
  bind_verb(rooms.list_earlier_events, environment, list_earlier_events);
  rooms.backfill.bind([&environment](const api::CallContext&, const api::BackfillRequest& request,
                                     const api::Reply<api::BackfillResponse>& reply) {
    environment.missing_events->backfill(request, reply);
  });
  bind_verb(rooms.get_server_in_room, environment, get_server_in_room);
  bind_verb(rooms.list_servers_in_room, environment, list_servers_in_room);
  bind_verb(rooms.get_auth_chain, environment, get_auth_chain);
  bind_verb(rooms.make_membership_event, environment, make_membership_event);
  bind_verb(rooms.sign_restricted_join, environment, sign_restricted_join);
  bind_verb(rooms.receive_invite, environment, receive_invite);
  bind_verb(rooms.find_alias, environment, find_alias);
  bind_verb(rooms.set_alias, environment, set_alias);
  bind_verb(rooms.delete_alias, environment, delete_alias);
  bind_verb(rooms.list_aliases, environment, list_aliases);
  bind_verb(rooms.find_published, environment, find_published);
  bind_verb(rooms.set_published, environment, set_published);
  bind_verb(rooms.list_public_rooms, environment, list_public_rooms);
  bind_verb(rooms.list_room_events, environment, list_room_events);
}

}  // namespace backplane::room_server
