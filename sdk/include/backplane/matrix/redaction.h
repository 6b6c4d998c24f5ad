// The redaction algorithm (Client-Server API, "Redactions", and each room version's "Redactions"): what is left of an
// event when all that the protocol does not need is taken away. Pure functions over trusted canonical JSON.
#pragma once

#include <string>
#include <string_view>

#include "backplane/base/export.h"
#include "backplane/matrix/event.h"
#include "backplane/matrix/room_version.h"

namespace backplane::matrix {

/// The event as it is after redaction, with the same id. The signatures stay valid.
BACKPLANE_API Event redact(const Event& event);
/// The same for the canonical JSON of an event.
BACKPLANE_API std::string redact_json(std::string_view event, const RoomVersion& version);
/// What is left of the content of an event of that type.
BACKPLANE_API std::string redact_content(std::string_view type, std::string_view content, const RoomVersion& version);

}  // namespace backplane::matrix
