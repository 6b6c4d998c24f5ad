// The tables of room_server, in the order in which they came to be. README.md says what each is for.
#pragma once

#include <vector>

#include "backplane/storage/store.h"

namespace backplane::room_server {

std::vector<storage::Migration> migrations();

}  // namespace backplane::room_server
