#include "backplane/matrix/history_visibility.h"

#include "backplane/base/json.h"

namespace backplane::matrix {

HistoryVisibility history_visibility_from(std::string_view word) {
  for (const auto visibility :
       {HistoryVisibility::world_readable, HistoryVisibility::invited, HistoryVisibility::joined}) {
    if (to_string(visibility) == word) return visibility;
  }
  return HistoryVisibility::shared;
}

HistoryVisibility history_visibility_in(std::string_view content) {
  const auto word = json::find_raw_string(content, "history_visibility");
  return word ? history_visibility_from(*word) : HistoryVisibility::shared;
}

bool may_see_event(HistoryVisibility visibility, Membership at_event, bool joined_later) {
  // Spec: Client-Server API, Room History Visibility, Server behaviour, 1 to 5.
  if (visibility == HistoryVisibility::world_readable) return true;
  if (at_event == Membership::join) return true;
  if (visibility == HistoryVisibility::shared && joined_later) return true;
  return at_event == Membership::invite && visibility == HistoryVisibility::invited;
}

bool may_see_event(const VisibilityInputs& before, const VisibilityInputs& after, bool joined_later) {
  return may_see_event(before.visibility, before.membership, joined_later) ||
         may_see_event(after.visibility, after.membership, joined_later);
}

}  // namespace backplane::matrix
