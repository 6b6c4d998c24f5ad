// What the next event of a room builds on: the room's current state, its forward extremities and what the rules of
// authorization need of them, in memory, with everything that is queued for the disk but not committed yet. It is
// what lets a room's lane go on without waiting for the disk.
//
// Belongs to the room's lane (lanes.h): only who holds the lane may touch it. Every change is of the size of the
// event, never of the room.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
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
#include "lane/pending.h"
#include "state/auth_index.h"
#include "state/snapshot_cache.h"
#include "store.h"

namespace backplane::room_server {

/// A type and state key that the room has met, and the state event that is current.
struct HeadState {
  EventId event_id;        ///< empty: none is
  StateNumber number = 0;  ///< of type and state key
  std::int64_t ordinal = 0;
  matrix::Membership membership = matrix::Membership::leave;  ///< of an m.room.member event
  std::optional<std::int64_t> left_at;                        ///< as in StateRow
  matrix::Event event;                                        ///< no event: it is in the store, where it is committed
};

/// An event and its place: the states before and after it, none of an outlier.
struct GraphEvent {
  matrix::Event event;
  std::int64_t ordinal = 0;
  EventStatus status = EventStatus::accepted;
  StateSnapshotPointer before, after;
  // Of one that is not stored yet
  std::optional<StateEventRow> state_event;
  std::vector<EventId> missing;  ///< those of its prev_events that have no place
  EventId redacts_later;         ///< what it is to redact when that comes

  bool is_placed() const { return after != nullptr; }
};

/// A forward extremity.
struct Tip {
  EventId event_id;
  std::int64_t ordinal = 0;
  std::int64_t depth = 0;
  StateSnapshotPointer state;  ///< after it
  matrix::Event event;         ///< room versions 1 and 2 only, where who follows it names its hash
};

class RoomHead final : public matrix::AuthState {
 public:
  RoomHead(RoomHead&&) = default;
  RoomHead& operator=(RoomHead&&) = default;
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
  /// The current state: the resolution of those after the tips. None before the create event.
  const StateSnapshotPointer& snapshot() const { return snapshot_; }
  const std::vector<Tip>& tips() const { return tips_; }
  /// The current state events that an event must name as its auth events.
  std::vector<const HeadState*> auth_entries(const matrix::AuthSubject& event) const;

  /// By the number, also where no event is current; nullptr for a number that the room has not given.
  const HeadState* find_entry(StateNumber number) const {
    return number < by_number_.size() ? by_number_[number] : nullptr;
  }
  /// Likewise; nullptr where no event is current.
  const HeadState* find(StateNumber number) const {
    const HeadState* const entry = find_entry(number);
    return entry != nullptr && entry->ordinal != 0 ? entry : nullptr;
  }

  // A new event of this server
  std::int64_t next_ordinal() const { return next_ordinal_; }
  std::int64_t next_depth() const;
  /// What the next event follows: none before the create event.
  std::vector<const Tip*> next_prev_events() const;
  /// Someone of that server who is joined and has that power level; empty when nobody is.
  UserId find_member_with(const ServerName& server, std::int64_t level) const;

  /// Users of that server who are in the room, are invited, or knock; at most so many.
  std::vector<UserId> members_of(const ServerName& server, std::size_t limit) const;

  /// Makes the event the room's only tip, and current when it is a state event. Answers what it replaced.
  std::optional<HeadState> apply(const matrix::Event& event);

  // Events from elsewhere
  /// For an event that clients are told of when it comes, in their order.
  std::int64_t take_ordinal() { return next_ordinal_++; }
  /// For one that they are not told of then.
  std::int64_t take_low_ordinal() { return next_low_ordinal_--; }
  /// Of the type and state key; 0 when the room never had such state.
  StateNumber find_number(std::string_view type, std::string_view state_key) const;
  /// The same, and a number for what the room never had.
  StateNumber number_of(std::string_view type, std::string_view state_key);
  StateSnapshotPointer make_snapshot(const StateSnapshotPointer& parent, const StateDelta& change);
  void set_tips(std::vector<Tip> tips, StateSnapshotPointer current);
  /// Makes a state event current, with the event at `cause`; the snapshot is set_tips()' to change. Answers what it
  /// replaced.
  std::optional<HeadState> make_current(const matrix::Event& event, std::int64_t ordinal, std::int64_t cause);
  /// Leaves the type and state key without a current event. Answers what was.
  std::optional<HeadState> make_absent(std::string_view type, std::string_view state_key);

  /// How the tips are stored, when that is to be changed.
  std::optional<ForwardExtremities> take_changed_extremities();

  /// Keeps what is queued at hand until it is committed.
  void remember(std::shared_ptr<const Pending> pending, std::vector<GraphEvent> events);
  void forget_committed();
  /// Of those, the event; nullptr when it is not one of them.
  const GraphEvent* find_queued(const EventId& event_id) const;
  const GraphEvent* find_queued(std::int64_t ordinal) const;
  void each_queued(const std::function<void(const GraphEvent&)>& event) const;

  /// A tip as this head keeps it.
  Tip make_tip(const matrix::Event& event, std::int64_t ordinal, StateSnapshotPointer state) const;

  const SnapshotCache& snapshots() const { return snapshots_; }
  void keep_snapshot(const StateSnapshotPointer& snapshot);
  /// Of all state events, once somebody has made it from the store; then it is kept up.
  std::optional<AuthIndex>& auth_index() { return auth_index_; }
  void add_state_event(const StateEventRow& event);

  /// Keeps the event of a current entry at hand: one that was read from the store, or its redacted form, which changes
  /// what the room's rules say.
  void put_event(const matrix::Event& event);
  /// Forgets events of members that the store has: called when nothing is queued. Rules never need them.
  void drop_events();

  std::size_t memory_bytes() const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  template <class Value>
  using TextMap = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;

  HeadState* find_mutable(std::string_view type, std::string_view state_key);
  HeadState& entry_of(std::string_view type, std::string_view state_key);
  HeadState& insert(std::string_view type, std::string_view state_key);
  /// Reads what a state event of an empty state key says about the room's rules.
  void take_rules(const matrix::Event& event);
  void drop_rules(std::string_view type);
  /// Takes over from `before` what a member's entry knows of its past.
  void count_member(std::string_view type, const HeadState& before, HeadState& now, std::int64_t cause);

  RoomRow room_;
  const matrix::RoomVersion* version_;
  TextMap<TextMap<HeadState>> state_;
  std::optional<matrix::RoomCreation> creation_;
  std::optional<matrix::PowerLevels> levels_;
  matrix::JoinRule join_rule_ = matrix::JoinRule::invite;
  matrix::HistoryVisibility history_visibility_ = matrix::HistoryVisibility::shared;
  std::int64_t joined_members_ = 0;
  std::int64_t next_ordinal_ = first_ordinal;
  std::int64_t next_low_ordinal_ = first_ordinal - 1;
  std::vector<Tip> tips_;
  StateSnapshotPointer snapshot_;
  ForwardExtremities stored_extremities_;
  std::int64_t last_snapshot_ = 0;                    ///< the highest number given
  std::vector<const HeadState*> by_number_{nullptr};  ///< into state_, by the number of type and state key
  std::vector<std::string> members_with_events_;      ///< state keys
  struct Queued {
    std::shared_ptr<const Pending> pending;
    std::vector<GraphEvent> events;
  };
  std::deque<Queued> queued_;
  std::unordered_map<EventId, const GraphEvent*> queued_by_id_;  ///< into queued_
  SnapshotCache snapshots_;
  std::optional<AuthIndex> auth_index_;
  std::size_t bytes_ = sizeof(*this);
};

}  // namespace backplane::room_server
