// submit_membership: the rules around m.room.member that the authorization rules leave to servers.
#include <utility>

#include "input/content.h"
#include "input/input.h"
#include "input/restricted_join.h"

namespace backplane::room_server {
namespace {

using api::MembershipAction;
using matrix::Membership;

/// What an action asks of the present membership, beyond the authorization rules: those take a kick of somebody who
/// has left, or an unban by way of a kick.
Result<void> check_action(const MembershipDraft& draft, const HeadState* current) {
  const Membership membership = current != nullptr ? current->membership : Membership::leave;
  switch (draft.action.value_or(MembershipAction::join)) {
    case MembershipAction::kick:
      if (membership == Membership::ban) return denied("forbidden", draft.target.str() + " is banned from the room");
      if (membership == Membership::leave) return denied("forbidden", draft.target.str() + " is not in the room");
      return {};
    case MembershipAction::unban:
      if (membership != Membership::ban)
        return denied("forbidden", draft.target.str() + " is not banned from the room");
      return {};
    case MembershipAction::leave:
      if (current == nullptr) return denied("forbidden", "you are not in the room");
      return {};
    default: return {};
  }
}

class MembershipAttempt {
 public:
  MembershipAttempt(Environment& environment, const MembershipDraft& draft, Membership wanted)
      : environment_(environment), draft_(draft), wanted_(wanted), restricted_(environment, draft.sender) {}

  Result<Attempt> operator()(LaneGuard& lane) {
    BACKPLANE_CHECK(check_action(draft_, lane.head().find_member(draft_.target)));
    BACKPLANE_TRY(events, make_invite(lane));
    const bool invited = !events.empty();
    auto attempt = change(lane, std::move(events));
    // The invite is for the join alone: without one the head holds an event that nobody stores.
    if (invited && (!attempt || !attempt->pending)) lane.spoil();
    return attempt;
  }

 private:
  /// The invite of a third-party identifier, for who needs one to join.
  Result<std::vector<NewEvent>> make_invite(LaneGuard& lane) {
    const Membership membership = lane.head().membership_of(draft_.target);
    if (!draft_.third_party_signed || membership == Membership::join || membership == Membership::invite)
      return std::vector<NewEvent>();
    BACKPLANE_TRY(replaced, current_event(lane));
    BACKPLANE_TRY(invite, draft_.third_party_signed->make_invite(environment_, lane, draft_.content, replaced));
    return one(std::move(invite));
  }

  /// The target's; it may be none.
  Result<matrix::Event> current_event(LaneGuard& lane) {
    const HeadState* const current = lane.head().find_member(draft_.target);
    return current != nullptr ? lane.event_of(*current) : Result<matrix::Event>(matrix::Event());
  }

  /// The change that is wanted, after those events.
  Result<Attempt> change(LaneGuard& lane, std::vector<NewEvent> events) {
    const HeadState* const current = lane.head().find_member(draft_.target);
    if (draft_.action == MembershipAction::leave && current->membership == Membership::leave)
      return Attempt{{}, *current, {}};
    BACKPLANE_TRY(replaced, current_event(lane));
    matrix::EventDraft event;
    event.sender = draft_.sender;
    event.type = "m.room.member";
    event.state_key = draft_.target.str();
    event.content = draft_.content;
    event.origin_server_ts = draft_.origin_server_ts;
    if (wanted_ == Membership::join) {
      BACKPLANE_TRY(first, authorise_join(lane, replaced, current, event));
      if (first) return Attempt{{}, {}, std::move(first)};
    }
    BACKPLANE_TRY(repeated, is_repeated_state(environment_, lane, event, replaced));
    if (repeated) return Attempt{{}, *current, {}};
    BACKPLANE_TRY(made, make_event(environment_, lane.head(), std::move(event), replaced, draft_.origin));
    events.push_back(std::move(made));
    return Attempt{submit_events(environment_, lane, std::move(events), draft_.request.transaction_key), {}, {}};
  }

  /// Sees to the member that authorises a restricted join: it is this server's to set, never the client's. Answers
  /// what to do outside the lane first, or nothing.
  Result<std::function<Result<void>()>> authorise_join(LaneGuard& lane, const matrix::Event& replaced,
                                                       const HeadState* current, matrix::EventDraft& event) {
    Content content = Content::parse_canonical(event.content);
    content.remove(authoriser_key);
    if (current != nullptr && current->membership == Membership::join) {
      // Another server's would have to sign this event too (room version 8, authorization rules, 4.2), and nobody who
      // is in needs one.
      const auto before = json::find_raw_string(replaced.content(), authoriser_key);
      if (before && matrix::is_on_server(*before, environment_.server_name)) content.set(authoriser_key, *before);
    } else {
      BACKPLANE_TRY(verdict, restricted_.judge(lane));
      switch (verdict) {
        case RestrictedJoin::Verdict::not_asked: break;
        case RestrictedJoin::Verdict::undecided:
          return std::function<Result<void>()>([this] { return restricted_.look(); });
        case RestrictedJoin::Verdict::allowed: content.set(authoriser_key, restricted_.authoriser().view()); break;
        case RestrictedJoin::Verdict::in_no_room:
        case RestrictedJoin::Verdict::unknown:
          return denied("forbidden", "you are in none of the rooms whose members may join this one");
        case RestrictedJoin::Verdict::nobody_may_invite:
          return denied("forbidden", "nobody in the room may let you in");
      }
    }
    event.content = content.canonical();
    return std::function<Result<void>()>();
  }

  Environment& environment_;
  const MembershipDraft& draft_;
  const Membership wanted_;
  RestrictedJoin restricted_;
};

}  // namespace

Result<Submitted> submit_membership(Environment& environment, const MembershipDraft& draft) {
  const auto wanted = matrix::membership_in(draft.content);
  if (!wanted) return invalid("bad_json", "an m.room.member event needs a membership");
  if (*wanted == Membership::invite && !matrix::is_on_server(draft.target.view(), environment.server_name)) {
    // With a state event of a client's own, or where nobody can be asked: that user's server has to sign it.
    return denied("forbidden",
                  "users of other servers can only be invited by a request for that (POST /invite), and only "
                  "where this server federates");
  }
  MembershipAttempt attempt(environment, draft, *wanted);
  return submit_in_lane(environment, draft.room_id, draft.request, [&](LaneGuard& lane) { return attempt(lane); });
}

}  // namespace backplane::room_server
