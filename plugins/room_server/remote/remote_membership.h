// What users of this server are in rooms whose state is not here: how it is kept, and told.
#pragma once

#include "environment.h"
#include "store.h"

namespace backplane::room_server {

/// The record of it; the same in the snapshot.
std::string remote_membership_payload(const RemoteMembershipRow& row, const std::string& before);
/// Stores it, in the place of what was, and tells the user. Answers the position. Errors: unavailable/not_owner, the
/// store's.
Result<log::Position> store_remote_membership(Environment& environment, RemoteMembershipRow row);
/// The room is here now, and says what the user is. Errors: likewise.
Result<void> delete_remote_membership(Environment& environment, const RoomId& room_id, const UserId& user);
/// Events of a room as clients are shown them who are not in it (Client-Server API, "Stripped state"), and `own` at the
/// end: an array. PDUs and what is stripped already are taken alike; what is neither is left out.
std::string stripped_state_of(std::span<const json::Raw> events, const matrix::Event& own);

}  // namespace backplane::room_server
