// What the next event of a room builds on: the room's current state, its last event and what the rules of
// authorization need of them, in memory, with everything that is queued for the disk but not committed yet. It is
// what lets a room's lane go on without waiting for the disk.
//
// Belongs to the room's lane (lanes.h): only who holds the lane may touch it. Every change is of the size of the
// event, never of the room.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "backplane/matrix/auth_rules.h"
#include "backplane/matrix/auth_state.h"
#include "backplane/matrix/event.h"
#include "backplane/matrix/history_visibility.h"
#include "backplane/matrix/power_levels.h"
#include "backplane/matrix/room_version.h"
#include "store.h"

namespace backplane::room_server {

/// A state event that is current.
struct HeadState {
  EventId event_id;
  std::int64_t ordinal = 0;
  std::int64_t since = 0;
  matrix::Membership membership = matrix::Membership::leave;  ///< of an m.room.member event
  std::optional<std::int64_t> left_at;                        ///< as in StateRow
  matrix::Event event;                                        ///< no event: it is in the store, where it is committed
};

class RoomHead final : public matrix::AuthState {
 public:
  /// A room that has no event yet. In room version 12 the id comes with the create event.
  RoomHead(RoomId room_id, const matrix::RoomVersion& version);
  /// Reads a room; the store must have committed all that was ever queued for it. Throws as session does.
  static std::optional<RoomHead> load(storage::Session& session, const RoomId& room_id);

  const matrix::RoomCreation* creation() const override { return creation_ ? &*creation_ : nullptr; }
  const matrix::PowerLevels& power_levels() const override { return *levels_; }
  matrix::JoinRule join_rule() const override { return join_rule_; }
  matrix::Membership membership_of(const UserId& user) const override;
  matrix::Event third_party_invite(std::string_view token) const override;

  const RoomRow& room() const { return room_; }
  const RoomId& room_id() const { return room_.room_id; }
  const matrix::RoomVersion& version() const { return *version_; }
  /// Given by the database when the room is stored.
  void set_number(RoomNumber number) { room_.number = number; }

  const HeadState* find(std::string_view type, std::string_view state_key) const;
  const HeadState* find_member(const UserId& user) const { return find("m.room.member", user.view()); }
  matrix::HistoryVisibility history_visibility() const { return history_visibility_; }
  std::int64_t joined_members() const { return joined_members_; }
  std::int64_t next_ordinal() const { return next_ordinal_; }
  std::int64_t next_depth() const { return depth_ + 1; }
  /// What the next event follows: none before the create event.
  std::vector<EventId> prev_events() const;
  std::vector<EventId> auth_events(const matrix::AuthSubject& event) const;
  /// Someone of this server who is joined and may invite, to authorise a restricted join; empty when nobody is.
  UserId find_inviter(const ServerName& server) const;

  /// Makes the event the room's last one, and current when it is a state event. Answers what it replaced.
  std::optional<HeadState> apply(const matrix::Event& event);
  /// Keeps the event of a current entry at hand: one that was read from the store, or its redacted form, which changes
  /// what the room's rules say.
  void put_event(const matrix::Event& event);
  /// Forgets events of members that the store has: called when nothing is queued. Rules never need them.
  void drop_events();

  std::size_t memory_bytes() const { return bytes_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  template <class Value>
  using TextMap = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;

  HeadState* find_mutable(std::string_view type, std::string_view state_key);
  HeadState& insert(std::string_view type, std::string_view state_key);
  /// Reads what a state event of an empty state key says about the room's rules.
  void take_rules(const matrix::Event& event);

  RoomRow room_;
  const matrix::RoomVersion* version_;
  TextMap<TextMap<HeadState>> state_;
  std::optional<matrix::RoomCreation> creation_;
  std::optional<matrix::PowerLevels> levels_;
  matrix::JoinRule join_rule_ = matrix::JoinRule::invite;
  matrix::HistoryVisibility history_visibility_ = matrix::HistoryVisibility::shared;
  std::int64_t joined_members_ = 0;
  std::int64_t next_ordinal_ = first_ordinal;
  std::int64_t depth_ = 0;
  EventId last_event_;
  std::vector<std::string> members_with_events_;  ///< state keys
  std::size_t bytes_ = sizeof(*this);
};

}  // namespace backplane::room_server
