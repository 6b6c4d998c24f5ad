// State resolution as the text of the specification has it, word for word and as slow as that is: what the fast one is
// compared with. Shares nothing with it but the authorization rules.
#pragma once

#include <vector>

#include "backplane/matrix/state_resolution.h"

namespace backplane::matrix {

StateMap resolve_literally(const RoomVersion& version, const std::vector<StateMap>& states, EventSource& source);

}  // namespace backplane::matrix
