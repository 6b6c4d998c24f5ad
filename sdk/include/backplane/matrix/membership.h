// A user's membership of a room and a room's join rule, as the specification names them. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "backplane/base/export.h"

namespace backplane::matrix {

/// A user without an m.room.member event counts as `leave`.
enum class Membership : std::uint8_t { join, invite, leave, ban, knock };

constexpr std::string_view to_string(Membership membership) {
  switch (membership) {
    case Membership::join: return "join";
    case Membership::invite: return "invite";
    case Membership::leave: return "leave";
    case Membership::ban: return "ban";
    case Membership::knock: return "knock";
  }
  return "leave";
}
/// Nothing for a word that is no membership.
BACKPLANE_API std::optional<Membership> membership_from(std::string_view word);
/// The membership in the content of an m.room.member event (canonical JSON); nothing when there is none.
BACKPLANE_API std::optional<Membership> membership_in(std::string_view content);
/// For records that carry it (base/fields.h).
constexpr const char* backplane_enum_names(Membership) { return "join, invite, leave, ban, knock"; }

enum class JoinRule : std::uint8_t { public_, invite, knock, restricted, knock_restricted, private_ };

constexpr std::string_view to_string(JoinRule rule) {
  switch (rule) {
    case JoinRule::public_: return "public";
    case JoinRule::invite: return "invite";
    case JoinRule::knock: return "knock";
    case JoinRule::restricted: return "restricted";
    case JoinRule::knock_restricted: return "knock_restricted";
    case JoinRule::private_: return "private";
  }
  return "private";
}
constexpr const char* backplane_enum_names(JoinRule) {
  return "public, invite, knock, restricted, knock_restricted, private";
}
BACKPLANE_API std::optional<JoinRule> join_rule_from(std::string_view word);
/// The rule in the content of an m.room.join_rules event (canonical JSON): `invite` when it names none, as without the
/// event; `private`, which lets nobody in, for what is not understood.
BACKPLANE_API JoinRule join_rule_in(std::string_view content);

}  // namespace backplane::matrix
