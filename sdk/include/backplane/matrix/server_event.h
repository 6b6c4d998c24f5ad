// Events in the format of the server-server API, as other servers get them. Pure functions over canonical JSON, which
// they trust to be well-formed.
#pragma once

#include <string>
#include <string_view>

#include "backplane/base/export.h"

namespace backplane::matrix {

/// An event as it is stored without its `unsigned`: that is this server's own, and tells of what others may not see
/// (the content before a change, say).
BACKPLANE_API std::string server_event(std::string_view stored_event);

}  // namespace backplane::matrix
