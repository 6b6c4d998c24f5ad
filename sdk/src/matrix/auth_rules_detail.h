// Shared by the files of the authorization rules. Rules are cited with their numbers in room versions 10 and 11, where
// they are the same, and in 12, which inserts a rule 2.
#pragma once

#include <optional>
#include <string_view>

#include "backplane/matrix/auth_rules.h"

namespace backplane::matrix::auth {

/// nothing means "allowed" in functions that decide, and "go on" in those that only reject.
using Verdict = std::optional<Rejection>;
constexpr std::nullopt_t allow = std::nullopt;

struct Rules {
  const AuthSubject& event;
  const RoomVersion& version;
  const AuthState& state;

  Verdict reject(std::string_view rule_in_10, std::string_view rule_in_12, std::string_view text) const {
    return Rejection{version.create_event_is_implied ? rule_in_12 : rule_in_10, text};
  }
  std::int64_t sender_level() const { return state.power_levels().of_user(*event.sender); }
};

/// Rule 4 (in room version 12: 5): the type is m.room.member.
Verdict check_member(const Rules& rules);
/// Rule 9 (10): the type is m.room.power_levels.
Verdict check_power_levels(const Rules& rules);
/// Rules 4.4.1.2 to 4.4.1.8 (5.4.1.…): an invite that answers a third-party invite.
Verdict check_third_party_invite(const Rules& rules, std::string_view third_party_invite);

}  // namespace backplane::matrix::auth
