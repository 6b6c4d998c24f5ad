// How events name others in prev_events and auth_events, for the files that read them.
#pragma once

#include <string_view>

#include "backplane/matrix/room_version.h"
#include "base/json_scanner.h"

namespace backplane::matrix {

/// visit(the event id as a raw string) for every element of prev_events or auth_events (canonical JSON). Spec: room
/// version 1, "Event format": pairs of an event id and its hashes; room version 3, "Event format": plain event ids.
template <class Visit>
void each_reference(std::string_view raw_array, const RoomVersion& version, Visit visit) {
  json::each_raw_element(raw_array, [&](std::string_view element) {
    if (version.event_format != EventFormat::event_id_in_event) {
      visit(element);
      return;
    }
    bool first = true;
    json::each_raw_element(element, [&](std::string_view part) {
      if (first) visit(part);
      first = false;
    });
  });
}

}  // namespace backplane::matrix
