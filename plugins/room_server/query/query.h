// The verbs that answer what is committed, one file a group. Errors are those that api/room_server.h documents; any
// thread; each is one read transaction.
#pragma once

#include <optional>

#include "backplane/api/room_server.h"
#include "environment.h"

namespace backplane::room_server {

Result<api::GetStateResponse> get_state(Environment& environment, const api::GetStateRequest& request);
Result<api::GetStateEventResponse> get_state_event(Environment& environment, const api::GetStateEventRequest& request);

Result<api::JoinedMembersResponse> list_joined_members(Environment& environment, const api::RoomUserRequest& request);
Result<api::ListJoinedRoomsResponse> list_joined_rooms(Environment& environment,
                                                       const api::ListJoinedRoomsRequest& request);
Result<api::FindMembershipResponse> find_membership(Environment& environment, const api::RoomUserRequest& request);

Result<api::GetEventsResponse> list_earlier_events(Environment& environment,
                                                   const api::ListEarlierEventsRequest& request);
Result<api::GetEventsResponse> get_events(Environment& environment, const api::GetEventsRequest& request);
Result<api::ListRecordsResponse> list_room_events(Environment& environment, const api::ListRecordsRequest& request);

Result<api::ServerInRoomResponse> get_server_in_room(Environment& environment, const api::ServerInRoomRequest& request);
Result<api::ServersInRoomResponse> list_servers_in_room(Environment& environment,
                                                        const api::ServersInRoomRequest& request);
Result<api::GetEventsResponse> get_auth_chain(Environment& environment, const api::AuthChainRequest& request);

/// In the room's lane, for moments: what the head has in memory need not be read.
Result<api::StateAtEventResponse> get_state_at_event(Environment& environment, const api::StateAtEventRequest& request);

/// A room as a user may look at it.
struct RoomView {
  RoomRow room;
  std::optional<std::int64_t> at;  ///< the state after the event of this ordinal; nothing: the state of now
};
/// Of now for a member and, where history is world_readable now, for everyone; of their leaving for one who was a
/// member and has not forgotten it.
/// Errors: not_found, denied/not_in_room. Throws as the session does.
Result<RoomView> view_of_room(storage::Session& session, const RoomId& room_id, const UserId& user);

}  // namespace backplane::room_server
