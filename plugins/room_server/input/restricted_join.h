// Restricted rooms (Client-Server API, "Restricted rooms"): may somebody join because of the rooms that they are in,
// and who of this server vouches for it? For joins of local users, and for those that other servers ask about.
//
// The memberships of other rooms are looked at outside the room's lane, for one m.room.join_rules event: judge() in the
// lane, and when that is undecided, look() outside and judge() again. enter() does so for those who have no loop of
// their own for it. One request's; one thread.
#pragma once

#include <cstdint>
#include <vector>

#include "environment.h"

namespace backplane::room_server {

class RestrictedJoin {
 public:
  RestrictedJoin(Environment& environment, UserId user) : environment_(environment), user_(std::move(user)) {}

  enum class Verdict : std::uint8_t {
    not_asked,          ///< nobody has to vouch: the authorization rules decide alone
    undecided,          ///< look() first
    allowed,            ///< authoriser() vouches
    in_no_room,         ///< the user is in none of the rooms
    unknown,            ///< in none of those that this server is in, and there are others
    nobody_may_invite,  ///< the user is in one of the rooms, and nobody here may let them in
  };
  Result<Verdict> judge(LaneGuard& lane);
  /// Outside the lane. Errors: the store's.
  Result<void> look();
  struct Entered {
    LaneGuard lane;
    Verdict verdict;
  };
  /// The room's lane with a verdict that is not `undecided`. Errors: of Lanes::enter(), the store's, unavailable/busy.
  Result<Entered> enter(const RoomId& room_id);
  /// Someone of this server who may invite.
  const UserId& authoriser() const { return authoriser_; }

 private:
  Environment& environment_;
  const UserId user_;
  EventId join_rules_;          ///< that the verdict is of; none as long as nobody has looked
  std::vector<RoomId> wanted_;  ///< the rooms that it names
  Verdict verdict_ = Verdict::undecided;
  UserId authoriser_;
};

/// The member of an m.room.member event's content that names who vouched for a join.
inline constexpr std::string_view authoriser_key = "join_authorised_via_users_server";

/// What another server is told of a verdict (Server-Server API, "Restricted rooms"): an error when it keeps the user
/// out.
Result<void> check_verdict(RestrictedJoin::Verdict verdict, const UserId& user);

}  // namespace backplane::room_server
