#include "base/json_scanner.h"
#include "matrix/auth_rules_detail.h"

namespace backplane::matrix::auth {
namespace {

/// What all of rule 4 looks at.
struct Change {
  const Rules& rules;
  const UserId target;
  const bool own;            ///< the sender matches state_key
  const Membership sender;   ///< current membership
  const Membership current;  ///< of the target

  const AuthState& state() const { return rules.state; }
  const PowerLevels& levels() const { return rules.state.power_levels(); }
  std::int64_t target_level() const { return levels().of_user(target); }
};

bool may_authorise_join(const Change& change) {
  const auto user = json::find_raw_string(change.rules.event.content, "join_authorised_via_users_server");
  if (!user) return false;
  const UserId authoriser(*user);
  return change.state().membership_of(authoriser) == Membership::join &&
         change.levels().of_user(authoriser) >= change.levels().invite();
}

/// 4.3
Verdict check_join(const Change& change) {
  const Rules& rules = change.rules;
  const RoomCreation& creation = *rules.state.creation();
  // 4.3.1
  if (rules.event.prev_event_count == 1 && rules.event.first_prev_event == creation.event_id.view() &&
      change.target == creation.creator) {
    return allow;
  }
  // 4.3.2
  if (!change.own) return rules.reject(Rule::not_own_join);
  // 4.3.3
  if (change.sender == Membership::ban) return rules.reject(Rule::joins_while_banned);
  const bool invited_or_joined = change.current == Membership::invite || change.current == Membership::join;
  switch (rules.state.join_rule()) {
    case JoinRule::knock:  // 4.3.4
      if (!rules.version.knock) break;
      [[fallthrough]];
    case JoinRule::invite:
      if (invited_or_joined) return allow;
      return rules.reject(Rule::not_invited);
    case JoinRule::restricted:
    case JoinRule::knock_restricted:  // 4.3.5
      if (rules.state.join_rule() == JoinRule::knock_restricted && !rules.version.knock_restricted_join) break;
      if (!rules.version.restricted_join) break;
      if (invited_or_joined || may_authorise_join(change)) return allow;  // 4.3.5.1, 4.3.5.3
      return rules.reject(Rule::join_is_not_authorised);
    case JoinRule::public_: return allow;  // 4.3.6
    case JoinRule::private_: break;
  }
  return rules.reject(Rule::join_rule_forbids);  // 4.3.7
}

/// 4.4
Verdict check_invite(const Change& change) {
  const Rules& rules = change.rules;
  // 4.4.1
  if (const auto third_party_invite = json::find_raw(rules.event.content, "third_party_invite")) {
    // 4.4.1.1
    if (change.current == Membership::ban) return rules.reject(Rule::third_party_target_is_banned);
    return check_third_party_invite(rules, *third_party_invite);
  }
  // 4.4.2
  if (change.sender != Membership::join) return rules.reject(Rule::invites_from_outside);
  // 4.4.3
  if (change.current == Membership::join || change.current == Membership::ban) {
    return rules.reject(Rule::invites_joined_or_banned);
  }
  // 4.4.4
  if (rules.sender_level() >= change.levels().invite()) return allow;
  return rules.reject(Rule::may_not_invite);  // 4.4.5
}

/// 4.5
Verdict check_leave(const Change& change) {
  const Rules& rules = change.rules;
  // 4.5.1
  if (change.own) {
    if (change.current == Membership::invite || change.current == Membership::join ||
        (rules.version.knock && change.current == Membership::knock)) {
      return allow;
    }
    return rules.reject(Rule::leaves_from_outside);
  }
  // 4.5.2
  if (change.sender != Membership::join) return rules.reject(Rule::kicks_from_outside);
  const std::int64_t sender_level = rules.sender_level();
  // 4.5.3
  if (change.current == Membership::ban && sender_level < change.levels().ban()) {
    return rules.reject(Rule::may_not_unban);
  }
  // 4.5.4
  if (sender_level >= change.levels().kick() && change.target_level() < sender_level) return allow;
  return rules.reject(Rule::may_not_kick);  // 4.5.5
}

/// 4.6
Verdict check_ban(const Change& change) {
  const Rules& rules = change.rules;
  // 4.6.1
  if (change.sender != Membership::join) return rules.reject(Rule::bans_from_outside);
  // 4.6.2
  const std::int64_t sender_level = rules.sender_level();
  if (sender_level >= change.levels().ban() && change.target_level() < sender_level) return allow;
  return rules.reject(Rule::may_not_ban);  // 4.6.3
}

/// 4.7
Verdict check_knock(const Change& change) {
  const Rules& rules = change.rules;
  // 4.7.1
  const JoinRule rule = rules.state.join_rule();
  const bool may_knock = (rule == JoinRule::knock && rules.version.knock) ||
                         (rule == JoinRule::knock_restricted && rules.version.knock_restricted_join);
  if (!may_knock) return rules.reject(Rule::join_rule_forbids_knock);
  // 4.7.2
  if (!change.own) return rules.reject(Rule::not_own_knock);
  // 4.7.3
  if (change.sender != Membership::ban && change.sender != Membership::invite && change.sender != Membership::join) {
    return allow;
  }
  return rules.reject(Rule::knocks_from_inside);  // 4.7.4
}

}  // namespace

Verdict check_member(const Rules& rules) {
  const AuthSubject& event = rules.event;
  // 4.1
  if (!event.state_key) return rules.reject(Rule::no_membership);
  if (!json::find_raw(event.content, "membership")) {
    return rules.reject(Rule::no_membership);
  }
  // 4.2: the caller has seen to the signature (required_signers).
  const auto membership = membership_in(event.content);
  if (!membership) return rules.reject(Rule::membership_is_unknown);  // 4.8
  UserId target{std::string(*event.state_key)};
  const bool own = target == *event.sender;
  const Membership sender = rules.state.membership_of(*event.sender);
  const Membership current = own ? sender : rules.state.membership_of(target);
  const Change change{rules, std::move(target), own, sender, current};
  switch (*membership) {
    case Membership::join: return check_join(change);
    case Membership::invite: return check_invite(change);
    case Membership::leave: return check_leave(change);
    case Membership::ban: return check_ban(change);
    case Membership::knock:
      if (rules.version.knock) return check_knock(change);
      break;
  }
  return rules.reject(Rule::membership_is_unknown);
}

}  // namespace backplane::matrix::auth
