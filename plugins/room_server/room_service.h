// api::RoomServer of this plugin: each method bound to the verb that answers it. Nothing else is here.
#pragma once

#include "backplane/api/room_server.h"
#include "environment.h"

namespace backplane::room_server {

/// Binds every method; `environment` outlives the calls.
void bind(api::RoomServer& rooms, Environment& environment);

}  // namespace backplane::room_server
