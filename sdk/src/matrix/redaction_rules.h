// The redaction algorithm as a filter that appends, for the files that hash, sign and redact.
#pragma once

#include <string>
#include <string_view>

#include "backplane/matrix/room_version.h"

namespace backplane::matrix {

/// Appends what redaction leaves of a content (canonical JSON); the type is not quoted.
void append_redacted_content(std::string& out, std::string_view type, std::string_view content,
                             const RoomVersion& version);
/// Appends what redaction leaves of an event (canonical JSON). Signatures only if asked for: hashes and signatures do
/// not cover them.
void append_redacted_event(std::string& out, std::string_view event, const RoomVersion& version, bool with_signatures);

}  // namespace backplane::matrix
