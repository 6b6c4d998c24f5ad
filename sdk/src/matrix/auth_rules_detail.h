// Shared by the files of the authorization rules. Comments cite rules with their numbers in room versions 10 and 11,
// where they are the same; what other versions number differently is in auth_rule_names.cc.
#pragma once

#include <optional>
#include <string_view>

#include "backplane/matrix/auth_rules.h"
#include "matrix/auth_rule_names.h"

namespace backplane::matrix::auth {

/// nothing means "allowed" in functions that decide, and "go on" in those that only reject.
using Verdict = std::optional<Rejection>;
constexpr std::nullopt_t allow = std::nullopt;

struct Rules {
  const AuthSubject& event;
  const RoomVersion& version;
  const AuthState& state;

  Verdict reject(Rule rule) const { return rejection(rule, version); }
  std::int64_t sender_level() const { return state.power_levels().of_user(*event.sender); }
};

/// Rule 4: the type is m.room.member.
Verdict check_member(const Rules& rules);
/// Rule 9: the type is m.room.power_levels.
Verdict check_power_levels(const Rules& rules);
/// Rules 4.4.1.2 to 4.4.1.8: an invite that answers a third-party invite.
Verdict check_third_party_invite(const Rules& rules, std::string_view third_party_invite);

}  // namespace backplane::matrix::auth
