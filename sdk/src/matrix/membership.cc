#include "backplane/matrix/membership.h"

#include "backplane/base/json.h"

namespace backplane::matrix {

std::optional<Membership> membership_from(std::string_view word) {
  for (const auto membership :
       {Membership::join, Membership::invite, Membership::leave, Membership::ban, Membership::knock}) {
    if (to_string(membership) == word) return membership;
  }
  return std::nullopt;
}

std::optional<Membership> membership_in(std::string_view content) {
  const auto word = json::find_raw_string(content, "membership");
  return word ? membership_from(*word) : std::nullopt;
}

std::optional<JoinRule> join_rule_from(std::string_view word) {
  for (const auto rule : {JoinRule::public_, JoinRule::invite, JoinRule::knock, JoinRule::restricted,
                          JoinRule::knock_restricted, JoinRule::private_}) {
    if (to_string(rule) == word) return rule;
  }
  return std::nullopt;
}

JoinRule join_rule_in(std::string_view content) {
  if (!json::find_raw(content, "join_rule")) return JoinRule::invite;
  const auto word = json::find_raw_string(content, "join_rule");
  return word ? join_rule_from(*word).value_or(JoinRule::private_) : JoinRule::private_;
}

}  // namespace backplane::matrix
