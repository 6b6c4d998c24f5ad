// One room at a time: whoever changes a room holds its lane, alone, and works on the room's head in memory. Changes
// are queued for the disk in the order in which they were made, and nobody waits for the disk inside a lane:
//
//   auto lane = lanes.enter(room_id);              // waits for others in this room; reads the head if need be
//   … check, build and apply an event to lane->head() …
//   auto pending = lane->submit(work, event_id);   // queued; follows all that was queued before
//   lane->leave();
//   pending->wait();                               // outside
//
// When a change fails, all that was built on it fails with conflict/chain_broken, and the next to enter reads the head
// again.
//
// Where several hosts share the store, a room is changed by the owner of its shard alone (the log's lane of its id): at
// others nobody enters its lane. A head is of one generation of the ownership: when the shard was away meanwhile, it is
// read again, and what was queued on it fails with unavailable/not_owner.
//
// Heads are kept in memory, those used longest ago are forgotten. Any thread; no internal calls inside a lane.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "backplane/api/method.h"
#include "backplane/base/result.h"
#include "backplane/log/position.h"
#include "backplane/storage/store.h"
#include "lane/pending.h"
#include "lane/room_head.h"

namespace backplane::room_server {

class Lanes;

/// A room's lane, as Lanes keeps it.
class Lane {
 private:
  friend class Lanes;
  friend class LaneGuard;

  void complete(const std::shared_ptr<Pending>& pending, Result<void> result);
  void wait_until_idle();
  bool idle();

  std::mutex mutex_;  // what a LaneGuard holds; guards these down to chain_
  std::optional<RoomHead> head_;
  bool spoiled_ = false;
  std::uint64_t generation_ = 0;  // of the shard, when the head was read
  std::shared_ptr<storage::Chain> chain_;

  std::mutex queue_mutex_;  // held for moments only: the store's writer takes it
  std::condition_variable emptied_;
  std::size_t queued_ = 0;
  std::deque<std::shared_ptr<Pending>> recent_;  // all that is queued, and the last few that are committed
};

/// Holds a room's lane.
class LaneGuard {
 public:
  LaneGuard(LaneGuard&&) noexcept = default;
  LaneGuard& operator=(LaneGuard&&) = delete;
  ~LaneGuard();

  RoomHead& head() { return *lane_->head_; }
  /// Queues work on the store; what the head says must include it already. `transaction_key` may be empty.
  /// `committed` may be empty; it runs on the writer's thread when the work is on disk, before anybody is told.
  std::shared_ptr<Pending> submit(EventId event_id, std::string transaction_key,
                                  std::function<Result<void>(storage::Write&, Pending&)> work,
                                  std::function<void()> committed);
  /// What a transaction came to, when that is queued or was committed a moment ago.
  std::shared_ptr<Pending> find_transaction(std::string_view transaction_key) const;
  /// What was queued last, when it is not committed yet: waiting for it is waiting for all before it.
  std::shared_ptr<Pending> last_queued() const;
  /// The event of an entry of the head, from memory or from the store.
  Result<matrix::Event> event_of(const HeadState& entry);
  /// Has the head read again by the next to enter: it is no longer what is stored. What was queued is not undone.
  void spoil();
  /// Lets others in. The guard is of no use after that.
  void leave();

 private:
  friend class Lanes;
  LaneGuard(Lanes& lanes, std::shared_ptr<Lane> lane);
  Lanes* lanes_;
  std::shared_ptr<Lane> lane_;
  std::unique_lock<std::mutex> lock_;
  std::unique_ptr<api::NoCalls> no_calls_;
};

class Lanes {
 public:
  Lanes(storage::Store& store, std::size_t max_bytes) : store_(store), max_bytes_(max_bytes) {}

  /// Waits until nobody else is in the room's lane. Errors: unavailable/not_owner, not_found for a room that is not
  /// here, and the store's.
  Result<LaneGuard> enter(const RoomId& room_id);
  /// For a change of a room's rows that no event builds on, and that its owner makes all the same: what its work is
  /// chained to. Errors: unavailable/not_owner.
  Result<std::shared_ptr<storage::Chain>> chain_of(const RoomId& room_id) const;
  /// A room that was just made and committed in that generation of its shard: saves reading it.
  void adopt(RoomHead head, std::uint64_t generation);

  std::size_t loaded() const;
  std::size_t bytes() const;

 private:
  friend class LaneGuard;
  struct Slot {
    std::shared_ptr<Lane> lane;
    std::size_t bytes = 0;
    std::list<RoomId>::iterator order;
  };

  std::shared_ptr<Lane> find_or_make(const RoomId& room_id);
  Result<void> load(Lane& lane, const RoomId& room_id, std::uint64_t generation);
  void drop_unknown(const RoomId& room_id, const std::shared_ptr<Lane>& lane);
  /// After a change: the lane's size, and room for it.
  void account(const RoomId& room_id, const std::shared_ptr<Lane>& lane, std::size_t bytes);

  storage::Store& store_;
  const std::size_t max_bytes_;
  mutable std::mutex mutex_;  // taken while a lane is held, never the other way round
  std::unordered_map<RoomId, Slot> slots_;
  std::list<RoomId> order_;  // used last first
  std::size_t bytes_ = 0;
};

}  // namespace backplane::room_server
