// The state that authorization rules look at, in the form in which they need it, so that nothing is parsed per check.
// room_server offers its in-memory head of a room as one; state resolution and checks of received events make an
// EventAuthState from events.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "backplane/base/export.h"
#include "backplane/matrix/event.h"
#include "backplane/matrix/membership.h"
#include "backplane/matrix/power_levels.h"

namespace backplane::matrix {

class BACKPLANE_API AuthState {
 public:
  virtual ~AuthState();
  /// Of the room's create event; nullptr when there is none yet.
  virtual const RoomCreation* creation() const = 0;
  /// Without the event: what a PowerLevels of the creation alone says.
  virtual const PowerLevels& power_levels() const = 0;
  /// `invite` without an m.room.join_rules event.
  virtual JoinRule join_rule() const = 0;
  /// `leave` without an m.room.member event.
  virtual Membership membership_of(const UserId& user) const = 0;
  /// The m.room.third_party_invite event of that state key, or no event.
  virtual Event third_party_invite(std::string_view token) const = 0;
};

/// The current state event of a type and state key, or no event.
using StateLookup = std::function<Event(std::string_view type, std::string_view state_key)>;

/// An AuthState over a look-up. Looks up the create, power levels and join rules events once, when it is made (a
/// power levels event that does not parse counts as absent); memberships when asked. As thread-safe as the look-up.
class BACKPLANE_API EventAuthState final : public AuthState {
 public:
  explicit EventAuthState(StateLookup lookup);
  const RoomCreation* creation() const override { return creation_ ? &*creation_ : nullptr; }
  const PowerLevels& power_levels() const override { return levels_; }
  JoinRule join_rule() const override { return join_rule_; }
  Membership membership_of(const UserId& user) const override;
  Event third_party_invite(std::string_view token) const override;

 private:
  StateLookup lookup_;
  std::optional<RoomCreation> creation_;
  PowerLevels levels_;
  JoinRule join_rule_ = JoinRule::invite;
};

/// The state that an event's auth events make, for the check of a received event against them ("Checks performed on
/// receipt of a PDU", 4). From room version 12 on the create event, which is not among them, is to be given too.
BACKPLANE_API EventAuthState auth_state_of(std::vector<Event> events);

}  // namespace backplane::matrix
