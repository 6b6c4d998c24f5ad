#include "visibility.h"

namespace backplane::sync_api {

using matrix::HistoryVisibility;
using matrix::Membership;

void MembershipHistory::add(Sequence from, Membership membership) {
  const auto at = std::lower_bound(steps_.begin(), steps_.end(), from,
                                   [](const Step& step, Sequence position) { return step.from < position; });
  if (at != steps_.end() && at->from == from) {
    at->membership = membership;
  } else {
    steps_.insert(at, Step{from, membership});
  }
}

Membership MembershipHistory::at(Sequence position) const {
  const auto after = std::upper_bound(steps_.begin(), steps_.end(), position,
                                      [](Sequence p, const Step& step) { return p < step.from; });
  return after == steps_.begin() ? first_ : std::prev(after)->membership;
}

bool MembershipHistory::joined_after(Sequence position, Sequence until) const {
  if (at(position) == Membership::join) return true;
  return std::any_of(steps_.begin(), steps_.end(), [&](const Step& step) {
    return step.from > position && step.from <= until && step.membership == Membership::join;
  });
}

Sequence MembershipHistory::end() const {
  if (now() == Membership::join) return no_bound;
  // Kicked, then banned: what counts is the end of the last stay.
  Sequence end = 0;
  for (std::size_t i = steps_.size(); i-- > 0;) {
    if (steps_[i].membership == Membership::join) break;
    end = steps_[i].from;
  }
  return end;
}

bool MembershipHistory::may_see(Sequence position, HistoryVisibility visibility) const {
  const matrix::VisibilityInputs earlier{visibility, before(position)};
  const matrix::VisibilityInputs later{visibility, at(position)};
  return matrix::may_see_event(earlier, later, joined_after(position));
}

bool MembershipHistory::may_see_between(Sequence earliest, Sequence latest, HistoryVisibility visibility) const {
  if (!matrix::may_see_event(visibility, at(earliest), joined_after(earliest))) return false;
  return std::all_of(steps_.begin(), steps_.end(), [&](const Step& step) {
    return step.from <= earliest || step.from > latest ||
           matrix::may_see_event(visibility, step.membership, joined_after(step.from));
  });
}

}  // namespace backplane::sync_api
