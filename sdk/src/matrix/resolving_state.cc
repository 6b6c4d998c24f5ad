#include "matrix/resolving_state.h"

#include "backplane/matrix/auth_rules.h"

namespace backplane::matrix::resolution {

EventId ResolvingState::find(const StateKey& key) const {
  if (const auto at = changed_.find(key); at != changed_.end()) return at->second;
  return base_ != nullptr ? base_->find(key) : EventId();
}

bool ResolvingState::allows(const Event& event) {
  room_id_ = &event.room_id();
  levels_without_event_.reset();
  return !check_auth_rules(AuthSubject::of(event), version_, *this);
}

const Event* ResolvingState::find_event(std::string_view type, std::string_view state_key) const {
  if (const EventId id = find({std::string(type), std::string(state_key)}); !id.empty()) {
    const Event& event = events_.find(id).event;
    return event ? &event : nullptr;
  }
  for (const Event* event : fallback_) {
    if (event->is_state(type, state_key)) return event;
  }
  return nullptr;
}

const RoomCreation* ResolvingState::creation() const {
  const Event* create = find_event("m.room.create", "");
  if (create == nullptr && version_.create_event_is_implied) {
    // Spec: room version 12, 2.: the room id names the create event, which auth_events must not.
    const auto& found = events_.find(create_event_id_of(*room_id_));
    if (found.event && !found.rejected) create = &found.event;
  }
  if (create == nullptr) return nullptr;
  const auto at = creations_.find(create->event_id());
  return at != creations_.end() ? &at->second
                                : &creations_.emplace(create->event_id(), RoomCreation::of(*create)).first->second;
}

const PowerLevels& ResolvingState::power_levels() const {
  const RoomCreation* const creation = this->creation();
  if (const Event* event = creation != nullptr ? find_event("m.room.power_levels", "") : nullptr) {
    if (const auto at = levels_.find(event->event_id()); at != levels_.end()) return at->second;
    auto parsed = PowerLevels::parse(event->content(), *creation);
    return levels_.emplace(event->event_id(), parsed ? std::move(*parsed) : PowerLevels(*creation)).first->second;
  }
  if (!levels_without_event_) levels_without_event_.emplace(creation != nullptr ? *creation : RoomCreation{});
  return *levels_without_event_;
}

JoinRule ResolvingState::join_rule() const {
  const Event* event = find_event("m.room.join_rules", "");
  return event != nullptr ? join_rule_in(event->content()) : JoinRule::invite;
}

Membership ResolvingState::membership_of(const UserId& user) const {
  const Event* event = find_event("m.room.member", user.view());
  return event != nullptr ? membership_in(event->content()).value_or(Membership::leave) : Membership::leave;
}

Event ResolvingState::third_party_invite(std::string_view token) const {
  const Event* event = find_event("m.room.third_party_invite", token);
  return event != nullptr ? *event : Event();
}

}  // namespace backplane::matrix::resolution
