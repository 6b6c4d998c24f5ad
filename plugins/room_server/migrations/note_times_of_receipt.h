// When the events of an older database came. It does not say; but all that wrote it were this server's own clock and
// users, so that their own time is the one. Times grow with the order in which events came, whatever they say.
#pragma once

#include "backplane/storage/session.h"

namespace backplane::room_server {

void note_times_of_receipt(storage::Session& session);

}  // namespace backplane::room_server
