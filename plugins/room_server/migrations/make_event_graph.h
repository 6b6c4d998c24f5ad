// Gives the events of a database that knew only one line of them the states before and after each, and their state
// events to the auth index (migration 3).
#pragma once

#include "backplane/storage/session.h"

namespace backplane::room_server {

void make_event_graph(storage::Session& session);

}  // namespace backplane::room_server
