// Invites of people whose user id nobody knew (Client-Server API, "Third-party invites"): the room holds an
// m.room.third_party_invite event, and who joins shows that they are the one who is meant.
#pragma once

#include <string>
#include <string_view>

#include "environment.h"
#include "input/content.h"
#include "input/new_event.h"
#include "lane/lanes.h"

namespace backplane::room_server {

/// `third_party_signed` of POST /rooms/{roomId}/join: an identity server's word that a token is a user's. A value.
class ThirdPartySigned {
 public:
  /// Errors: invalid/bad_json for another form, denied/forbidden when it is not that user's.
  static Result<ThirdPartySigned> parse(const json::Raw& text, const UserId& user);

  /// Makes the user's invite and applies it to the lane's head: in the name of who sent the m.room.third_party_invite
  /// event, with the profile that the content of the join shows. `replaced` as in make_event(). Errors:
  /// denied/forbidden when it does not fit what the room holds, invalid/too_large. Nothing has changed then.
  Result<NewEvent> make_invite(Environment& environment, LaneGuard& lane, std::string_view join_content,
                               const matrix::Event& replaced) const;

 private:
  UserId user_;
  UserId sender_;
  std::string token_;
  Content signed_;  ///< all of it
};

}  // namespace backplane::room_server
