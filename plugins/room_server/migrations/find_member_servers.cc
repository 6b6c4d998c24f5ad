#include "migrations/find_member_servers.h"

#include <cstdint>
#include <string>

#include "backplane/matrix/ids.h"

// The statements are this migration's own: those of store/ are of the newest tables.
namespace backplane::room_server {

void find_member_servers(storage::Session& session) {
  for (const std::int64_t room : session.list<std::int64_t>("SELECT room FROM rooms")) {
    for (const UserId& user : session.list<UserId>(
             "SELECT state_key FROM current_state WHERE room = ? AND type = 'm.room.member'", {room})) {
      session.execute("UPDATE current_state SET server = ? WHERE room = ? AND type = 'm.room.member' AND state_key = ?",
                      {matrix::server_of(user), room, user});
    }
  }
}

}  // namespace backplane::room_server
