// The state that state resolution has come to so far, as the authorization rules look at it. What is parsed for one
// event is kept for the next ones: power levels in the first place.
#pragma once

#include <unordered_map>
#include <vector>

#include "backplane/matrix/auth_state.h"
#include "matrix/state_resolution_detail.h"

namespace backplane::matrix::resolution {

class ResolvingState final : public AuthState {
 public:
  /// `base` is the state to begin with, or nullptr; it and `events` must outlive this.
  ResolvingState(const RoomVersion& version, CommonState* base, LoadedEvents& events)
      : version_(version), base_(base), events_(events) {}

  /// The event of the key: of what was put, of the base. Empty when there is none.
  EventId find(const StateKey& key) const;
  void put(const StateKey& key, const EventId& event_id) { changed_.insert_or_assign(key, event_id); }
  void remove(const StateKey& key) { changed_.erase(key); }
  /// All that was put.
  const StateMap& changed() const { return changed_; }
  /// Used where the state has no event of the key, until set again. They must outlive that.
  void set_fallback(std::vector<const Event*> auth_events) { fallback_ = std::move(auth_events); }
  /// Whether the authorization rules allow the event in this state.
  bool allows(const Event& event);

  const RoomCreation* creation() const override;
  const PowerLevels& power_levels() const override;
  JoinRule join_rule() const override;
  Membership membership_of(const UserId& user) const override;
  Event third_party_invite(std::string_view token) const override;

 private:
  const Event* find_event(std::string_view type, std::string_view state_key) const;

  const RoomVersion& version_;
  CommonState* const base_;
  LoadedEvents& events_;
  StateMap changed_;
  std::vector<const Event*> fallback_;
  const RoomId* room_id_ = nullptr;  ///< of the event that is checked
  mutable std::unordered_map<EventId, RoomCreation> creations_;
  mutable std::unordered_map<EventId, PowerLevels> levels_;
  mutable std::optional<PowerLevels> levels_without_event_;
};

}  // namespace backplane::matrix::resolution
