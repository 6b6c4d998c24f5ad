// The end of one active room's history in memory: what /sync needs of it without asking the database. It holds every
// record above `floor`, the current state and memberships, and the room's latest receipts.
//
// The read model (read_model.h) feeds it in order of position; readers cut at the position that their answer is for,
// so that what comes meanwhile does no harm. Any thread: one mutex, held for short looks and never while waiting.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store.h"
#include "timeline_entry.h"

namespace backplane::sync_api {

using StateKey = std::pair<std::string, std::string>;  // type and state key

struct Member {
  matrix::Membership membership = matrix::Membership::leave;
  EventId event_id;
  Sequence since = 0;
};

/// Client-Server API, "Room summary".
struct RoomSummary {
  std::vector<std::string> heroes;  ///< one more than needed, so that everyone can leave themselves out
  std::int64_t joined = 0;
  std::int64_t invited = 0;
};

/// What was read from the index for a tail.
struct TailRows {
  store::RoomRow room;
  std::vector<EntryPtr> entries;  ///< newest first
  Sequence floor = 0;
  std::vector<StateItem> state;
  std::vector<store::Receipt> receipts;
};
/// Runs inside a read transaction. A room that is not there has no rows.
TailRows read_tail_rows(storage::Session& session, const RoomId& room, std::size_t entries);

class RoomTail {
 public:
  explicit RoomTail(TailRows rows);

  // ---- the read model's side

  /// Records that the tail has already change nothing.
  void apply(const EntryPtr& entry);
  void apply_receipt(const ReceiptRecord& record);
  /// The event's body is another one now (nullptr: ask for it), or is gone.
  void replace_event(const EventId& event_id, const EventPtr& event);
  void remove_event(const EventId& event_id);
  /// Entries at or below this are in the index: all but `keep` of them may go.
  void trim(Sequence indexed, std::size_t keep);
  std::size_t bytes() const;

  // ---- readers

  /// Everything above this is in entries().
  Sequence floor() const;
  /// Entries at positions in (after, upto], newest first, until `use` answers false. `use` must not call the tail.
  template <class Use>
  void each_back(Sequence after, Sequence upto, Use use) const {
    const std::lock_guard lock(mutex_);
    for (auto it = entries_.rbegin(); it != entries_.rend(); ++it) {
      if ((*it)->sequence > upto) continue;
      if ((*it)->sequence <= after || !use(*it)) return;
    }
  }
  /// The state after the record at `at`; nothing when that is below the floor: then the index knows. With `members`
  /// false without m.room.member.
  std::optional<std::vector<StateItem>> state_at(Sequence at, bool members) const;
  /// One piece of it. The outer optional as state_at.
  std::optional<std::optional<StateItem>> find_state(const std::string& type, const std::string& key,
                                                     Sequence at) const;
  /// The memberships of a user, as far as the entries tell; those before the floor are one.
  MembershipHistory history_of(const UserId& user) const;
  /// Of now, shared by all who ask until a membership changes.
  std::shared_ptr<const RoomSummary> summary() const;
  std::vector<store::Receipt> receipts_after(const log::Positions& after, const log::Positions& upto) const;
  std::uint16_t lane() const { return lane_; }

 private:
  void set_member(const std::string& user, matrix::Membership membership, const EventId& event_id, Sequence since);
  void put_receipt(store::Receipt receipt);

  mutable std::mutex mutex_;
  std::uint16_t lane_ = 0;
  Sequence floor_ = 0;
  Sequence last_ = 0;
  std::deque<EntryPtr> entries_;
  std::map<StateKey, StateItem> state_;  // without members
  std::unordered_map<std::string, Member> members_;
  std::int64_t joined_ = 0, invited_ = 0;
  mutable std::shared_ptr<const RoomSummary> summary_;
  std::map<std::uint64_t, store::Receipt> receipts_;  // by sequence
  std::map<std::array<std::string, 3>, std::uint64_t> receipt_index_;
  std::size_t bytes_ = 0;
};

}  // namespace backplane::sync_api
