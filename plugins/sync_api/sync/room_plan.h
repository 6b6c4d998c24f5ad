// One room's part of a /sync answer, before its events' bodies are at hand: which events, which state, what else.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "filter.h"
#include "tail/read_model.h"

namespace backplane::sync_api {

/// What all rooms of an answer have in common.
struct PlanContext {
  const Access& access;
  ReadModel& model;
  storage::Store& store;
  const UserId& user;
  const SyncToken* since;  ///< nullptr: an initial sync
  const SyncToken& now;
  const Filter& filter;
  const LazyMembers* lazy;  ///< of the session; nullptr: members are not loaded lazily
  bool full_state = false;
  bool use_state_after = false;
  std::size_t timeline_limit = 10;
};

struct RoomPlan {
  RoomView view;
  std::shared_ptr<RoomTail> tail;
  std::vector<EntryPtr> timeline;  ///< oldest first
  bool limited = false;
  bool initial = false;  ///< everything about the room: a client that does not know it yet
  Sequence start = 0;    ///< the timeline's first position; what is before it is at prev_batch
  std::vector<StateItem> state;
  std::string large_state;  ///< in its place, as text, where it is too large for its events to be held at once
  std::vector<std::pair<std::string, EventId>> sent_members;  ///< for the session's LazyMembers, once it is answered
  MembershipHistory history;                                  ///< of the reader; may be empty when `always_joined`
  bool always_joined = false;                                 ///< over all of the timeline
  std::shared_ptr<const RoomSummary> summary;                 ///< when it may have changed
  bool heroes = false;
  std::vector<store::Receipt> receipts;

  matrix::Membership membership_at(Sequence position) const {
    if (always_joined || (view.membership == matrix::Membership::join && position >= view.joined_since)) {
      return matrix::Membership::join;
    }
    return history.at(position);
  }
  /// Nothing that would tell the client something.
  bool empty() const {
    return !initial && timeline.empty() && !limited && state.empty() && !summary && receipts.empty() && !view.typing &&
           view.account_data.empty();
  }
};

/// Plans a room that the user is in, or has left. Errors: would_block() and those of the database.
Result<RoomPlan> plan_room(const PlanContext& context, RoomView view);

/// The memberships of a user in a room, from the index and memory. Errors as plan_room.
Result<MembershipHistory> full_history(const Access& access, ReadModel& model, storage::Store& store,
                                       const RoomId& room, const UserId& user);

}  // namespace backplane::sync_api
