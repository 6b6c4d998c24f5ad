#include "backplane/matrix/auth_state.h"

namespace backplane::matrix {

AuthState::~AuthState() = default;

EventAuthState::EventAuthState(StateLookup lookup) : lookup_(std::move(lookup)), levels_(RoomCreation{}) {
  if (const Event create = lookup_("m.room.create", "")) {
    creation_ = RoomCreation::of(create);
    levels_ = PowerLevels(*creation_);
  }
  if (const Event levels = lookup_("m.room.power_levels", "")) {
    auto parsed = PowerLevels::parse(levels.content(), creation_ ? *creation_ : RoomCreation{});
    if (parsed) levels_ = std::move(parsed).value();
  }
  if (const Event rules = lookup_("m.room.join_rules", "")) join_rule_ = join_rule_in(rules.content());
}

Membership EventAuthState::membership_of(const UserId& user) const {
  const Event member = lookup_("m.room.member", user.view());
  return member ? membership_in(member.content()).value_or(Membership::leave) : Membership::leave;
}

Event EventAuthState::third_party_invite(std::string_view token) const {
  return lookup_("m.room.third_party_invite", token);
}

EventAuthState auth_state_of(std::vector<Event> events) {
  return EventAuthState([events = std::move(events)](std::string_view type, std::string_view state_key) {
    for (const auto& event : events) {
      if (event.is_state(type, state_key)) return event;
    }
    return Event();
  });
}

}  // namespace backplane::matrix
