// Invites of users of other servers: made here, signed by both servers (Server-Server API, "Inviting to a room").
#pragma once

#include <vector>

#include "backplane/api/room_server.h"
#include "backplane/matrix/event.h"
#include "environment.h"

namespace backplane::room_server {

struct MadeInvite {
  matrix::Event event;                ///< signed by this server; not in the room yet
  std::vector<json::Raw> room_state;  ///< `invite_room_state`: PDUs
};
/// Errors: as change_membership.
Result<MadeInvite> make_invite(Environment& environment, const api::ChangeMembershipRequest& request);
/// Takes the invite into the room as the other server has signed it. Answers its position. Errors:
/// incomplete/bad_answer when that is another event; denied/forbidden when the room does not allow it any more; the
/// store's.
Result<log::Position> accept_invite(Environment& environment, const matrix::Event& made, const json::Raw& answered);

}  // namespace backplane::room_server
