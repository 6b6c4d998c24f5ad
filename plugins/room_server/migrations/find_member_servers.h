// Migration 4: each member's row says which server the user is of.
#pragma once

#include "backplane/storage/session.h"

namespace backplane::room_server {

void find_member_servers(storage::Session& session);

}  // namespace backplane::room_server
