// Who may see an event of a room's past (Client-Server API, "Room History Visibility"). Pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "backplane/base/export.h"
#include "backplane/matrix/membership.h"

namespace backplane::matrix {

enum class HistoryVisibility : std::uint8_t { world_readable, shared, invited, joined };

constexpr std::string_view to_string(HistoryVisibility visibility) {
  switch (visibility) {
    case HistoryVisibility::world_readable: return "world_readable";
    case HistoryVisibility::shared: return "shared";
    case HistoryVisibility::invited: return "invited";
    case HistoryVisibility::joined: return "joined";
  }
  return "shared";
}
/// `shared` for a word that is not understood.
BACKPLANE_API HistoryVisibility history_visibility_from(std::string_view word);
/// The visibility in the content of an m.room.history_visibility event (canonical JSON); `shared` when there is none.
BACKPLANE_API HistoryVisibility history_visibility_in(std::string_view content);
constexpr const char* backplane_enum_names(HistoryVisibility) { return "world_readable, shared, invited, joined"; }

/// May a user see an event that was sent under `visibility` while the user's membership was `at_event`?
/// `joined_later`: the user joined the room at any point after the event was sent.
BACKPLANE_API bool may_see_event(HistoryVisibility visibility, Membership at_event, bool joined_later);

/// The two inputs of the rule around one event.
struct VisibilityInputs {
  HistoryVisibility visibility = HistoryVisibility::shared;
  Membership membership = Membership::leave;
};
/// The same for an event that may itself change the inputs (the history visibility, the user's own membership): it may
/// be seen when the values before it or those after it allow.
BACKPLANE_API bool may_see_event(const VisibilityInputs& before, const VisibilityInputs& after, bool joined_later);

}  // namespace backplane::matrix
