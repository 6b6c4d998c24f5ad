// submit_membership: the rules around m.room.member that the authorization rules leave to servers.
#include <utility>

#include "input/content.h"
#include "input/input.h"

namespace backplane::room_server {
namespace {

using api::MembershipAction;
using matrix::JoinRule;
using matrix::Membership;

constexpr std::string_view authoriser = "join_authorised_via_users_server";

/// Whether a user may join because of the rooms they are in, found out outside the lane for one m.room.join_rules
/// event.
struct Allowance {
  EventId join_rules;
  bool allowed = false;
};

std::vector<RoomId> allowed_rooms(const matrix::Event& join_rules) {
  std::vector<RoomId> rooms;
  const auto document = json::Document::parse(join_rules.content());
  if (!document) return rooms;
  // Spec: Client-Server API, "Restricted rooms".
  for (const json::View rule : document->root().find("allow").value_or(json::View()).elements()) {
    if (rule.find_string("type") != "m.room_membership") continue;
    if (const auto room = rule.find_string("room_id")) rooms.emplace_back(std::string(*room));
  }
  return rooms;
}

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
      : environment_(environment), draft_(draft), wanted_(wanted) {}

  Result<Attempt> operator()(LaneGuard& lane) {
    const HeadState* const current = lane.head().find_member(draft_.target);
    BACKPLANE_CHECK(check_action(draft_, current));
    if (draft_.action == MembershipAction::leave && current->membership == Membership::leave)
      return Attempt{{}, *current, {}};
    matrix::Event replaced;
    if (current != nullptr) {
      BACKPLANE_TRY(event, lane.event_of(*current));
      replaced = event;
    }
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
    return Attempt{submit_events(environment_, lane, one(std::move(made)), draft_.request.transaction_key), {}, {}};
  }

 private:
  /// Sees to the member that authorises a restricted join: it is this server's to set, never the client's. Answers
  /// what to do outside the lane first, or nothing.
  Result<std::function<Result<void>()>> authorise_join(LaneGuard& lane, const matrix::Event& replaced,
                                                       const HeadState* current, matrix::EventDraft& event) {
    Content content = Content::parse_canonical(event.content);
    content.remove(authoriser);
    const RoomHead& head = lane.head();
    const JoinRule rule = head.join_rule();
    const Membership membership = current != nullptr ? current->membership : Membership::leave;
    const bool restricted = rule == JoinRule::restricted || rule == JoinRule::knock_restricted;
    if (membership == Membership::join) {
      if (const auto before = json::find_raw(replaced.content(), authoriser))
        content.set_raw(authoriser, std::string(*before));
    } else if (restricted && membership != Membership::invite && membership != Membership::ban) {
      const HeadState* const rules = head.find("m.room.join_rules", "");
      if (rules == nullptr || allowance_.join_rules != rules->event_id) return find_allowance(lane, *rules);
      const UserId inviter =
          allowance_.allowed ? head.find_member_with(environment_.server_name, head.power_levels().invite()) : UserId();
      if (!allowance_.allowed)
        return denied("forbidden", "you are in none of the rooms whose members may join this one");
      if (inviter.empty()) return denied("forbidden", "nobody in the room may let you in");
      content.set(authoriser, inviter.view());
    }
    event.content = content.canonical();
    return std::function<Result<void>()>();
  }

  Result<std::function<Result<void>()>> find_allowance(LaneGuard& lane, const HeadState& rules) {
    BACKPLANE_TRY(join_rules, lane.event_of(rules));
    return std::function<Result<void>()>(
        [this, id = rules.event_id, rooms = allowed_rooms(join_rules)]() -> Result<void> {
          auto found = environment_.store.read([&](storage::Session& session) {
            for (const RoomId& room : rooms) {
              if (tables::is_joined(session, room, draft_.sender)) return true;
            }
            return false;
          });
          if (!found) return std::move(found).error();
          allowance_ = {id, *found};
          return {};
        });
  }

  Environment& environment_;
  const MembershipDraft& draft_;
  const Membership wanted_;
  Allowance allowance_;
};

}  // namespace

Result<Submitted> submit_membership(Environment& environment, const MembershipDraft& draft) {
  const auto wanted = matrix::membership_in(draft.content);
  if (!wanted) return invalid("bad_json", "an m.room.member event needs a membership");
  if (*wanted == Membership::invite && !matrix::is_on_server(draft.target.view(), environment.server_name)) {
    // TODO: federation. Until then nobody could tell that user.
    return denied("forbidden", "users of other servers cannot be invited: this server does not federate");
  }
  MembershipAttempt attempt(environment, draft, *wanted);
  return submit_in_lane(environment, draft.room_id, draft.request, [&](LaneGuard& lane) { return attempt(lane); });
}

}  // namespace backplane::room_server
