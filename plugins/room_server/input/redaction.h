// What a redaction does to what is stored: the event loses what it says, and so does what came in its place of it.
#pragma once

#include <optional>
#include <vector>

#include "backplane/matrix/event.h"
#include "environment.h"
#include "store.h"

namespace backplane::room_server {

/// Events as others see them now; for the cache, once they are committed.
using ChangedBodies = std::vector<BodyCache::Pointer>;

/// The event as it is stored once that redaction has been carried out: canonical JSON.
std::string redacted_json(std::string_view event, const matrix::Event& redaction, const RoomId& room_id);

/// Carries out a redaction that is allowed; does nothing when the event is redacted already, or not here. Publishes
/// the changes, and answers the position of the last one.
std::optional<log::Position> apply_redaction(Environment& environment, storage::Write& write, const RoomRow& room,
                                             std::int64_t ordinal, const matrix::Event& redaction,
                                             ChangedBodies& changed);

}  // namespace backplane::room_server
