// Whether a user may see an event (Client-Server API, "Room History Visibility"): the rule is the SDK's, the inputs
// come from here: the user's memberships of a room as intervals of positions. Values: any thread.
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "backplane/matrix/history_visibility.h"
#include "backplane/matrix/membership.h"
#include "token.h"

namespace backplane::sync_api {

/// Left, kicked or banned; not invited or knocking either.
constexpr bool is_out(matrix::Membership membership) {
  return membership == matrix::Membership::leave || membership == matrix::Membership::ban;
}

/// What one user was in one room, and when.
class MembershipHistory {
 public:
  /// From this position on (until the next one). In any order; a position that is there already is replaced.
  void add(Sequence from, matrix::Membership membership);
  /// Events at or below this were sent before anything is known: `membership` held then.
  void set_first(matrix::Membership membership) { first_ = membership; }

  /// What held right after the event at this position; leave for one who never was there.
  matrix::Membership at(Sequence position) const;
  /// What held right before it.
  matrix::Membership before(Sequence position) const { return position == 0 ? first_ : at(position - 1); }
  matrix::Membership now() const { return steps_.empty() ? first_ : steps_.back().membership; }
  /// The user was in the room at some point after the position (up to `until`).
  bool joined_after(Sequence position, Sequence until = no_bound) const;
  bool ever_joined() const { return joined_after(0) || first_ == matrix::Membership::join; }
  bool known() const { return !steps_.empty(); }
  /// Where the last membership other than join began: what a departed user may see ends there. no_bound while joined.
  Sequence end() const;

  /// May the user see the event at this position?
  bool may_see(Sequence position, matrix::HistoryVisibility visibility) const;
  /// May the user see an event that happened somewhere between the two? Whatever the user was there has to allow it.
  bool may_see_between(Sequence earliest, Sequence latest, matrix::HistoryVisibility visibility) const;

 private:
  struct Step {
    Sequence from;
    matrix::Membership membership;
  };
  std::vector<Step> steps_;  // in order of position
  matrix::Membership first_ = matrix::Membership::leave;
};

}  // namespace backplane::sync_api
