#include "lane/lanes.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace backplane::room_server {
namespace {

/// Committed submissions that a lane still knows, for clients that repeat a request at once.
constexpr std::size_t recent_submissions = 32;

}  // namespace

void Lane::complete(const std::shared_ptr<Pending>& pending, Result<void> result) {
  const bool failed = !result.ok();
  {
    const std::lock_guard lock(queue_mutex_);
    if (failed) std::erase(recent_, pending);
    while (recent_.size() > recent_submissions && recent_.front()->finished()) recent_.pop_front();
    pending->finish(std::move(result));
    if (--queued_ == 0) emptied_.notify_all();
  }
}

void Lane::wait_until_idle() {
  std::unique_lock lock(queue_mutex_);
  emptied_.wait(lock, [this] { return queued_ == 0; });
}

bool Lane::idle() {
  const std::lock_guard lock(queue_mutex_);
  return queued_ == 0;
}

LaneGuard::LaneGuard(Lanes& lanes, std::shared_ptr<Lane> lane)
    : lanes_(&lanes),
      lane_(std::move(lane)),
      lock_(lane_->mutex_),
      no_calls_(std::make_unique<api::NoCalls>("a room's lane")) {}

LaneGuard::~LaneGuard() { leave(); }

void LaneGuard::leave() {
  if (!lane_) return;
  if (lane_->head_) lanes_->account(lane_->head_->room_id(), lane_, lane_->head_->memory_bytes());
  no_calls_.reset();
  lock_.unlock();
  lane_.reset();
}

std::shared_ptr<Pending> LaneGuard::submit(EventId event_id, std::string transaction_key,
                                           std::function<Result<void>(storage::Write&, Pending&)> work,
                                           std::function<void()> committed) {
  auto pending = std::make_shared<Pending>(std::move(event_id), std::move(transaction_key));
  {
    const std::lock_guard lock(lane_->queue_mutex_);
    ++lane_->queued_;
    lane_->recent_.push_back(pending);
  }
  lanes_->store_.submit(
      [work = std::move(work), pending](storage::Write& write) { return work(write, *pending); },
      [lane = lane_, chain = lane_->chain_, pending, committed = std::move(committed)](Result<void> result) {
        if (!result) chain->break_off();
        else if (committed) committed();
        lane->complete(pending, std::move(result));
      },
      lane_->chain_);
  return pending;
}

void LaneGuard::spoil() { lane_->spoiled_ = true; }

std::shared_ptr<Pending> LaneGuard::find_transaction(std::string_view transaction_key) const {
  const std::lock_guard lock(lane_->queue_mutex_);
  const auto found = std::ranges::find_if(
      lane_->recent_, [&](const auto& pending) { return pending->transaction_key() == transaction_key; });
  return found != lane_->recent_.end() ? *found : nullptr;
}

std::shared_ptr<Pending> LaneGuard::last_queued() const {
  const std::lock_guard lock(lane_->queue_mutex_);
  if (lane_->queued_ == 0 || lane_->recent_.empty()) return nullptr;
  return lane_->recent_.back();
}

Result<matrix::Event> LaneGuard::event_of(const HeadState& entry) {
  if (entry.event) return entry.event;
  const RoomHead& room = head();
  const std::int64_t ordinal = entry.ordinal;
  auto read = lanes_->store_.read([&](storage::Session& session) -> Result<matrix::Event> {
    auto row = tables::find_event(session, room.room().number, ordinal);
    if (!row) return internal_error("a state event of " + room.room_id().str() + " is not stored");
    return matrix::Event::from_stored(std::move(row->json), std::move(row->event_id), room.version());
  });
  if (read) head().put_event(*read);
  return read;
}

Result<std::shared_ptr<storage::Chain>> Lanes::chain_of(const RoomId& room_id) const {
  const std::uint16_t shard = log::lane_of(room_id.view());
  const std::uint64_t generation = store_.ownership().generation(shard);
  if (generation == 0) return storage::not_owner(store_.ownership(), shard);
  return std::make_shared<storage::Chain>(shard, generation);
}

Result<LaneGuard> Lanes::enter(const RoomId& room_id) {
  LaneGuard guard(*this, find_or_make(room_id));
  Lane& lane = *guard.lane_;
  const std::uint64_t generation = store_.ownership().generation(log::lane_of(room_id.view()));
  if (generation == 0) {
    drop_unknown(room_id, guard.lane_);
    return storage::not_owner(store_.ownership(), log::lane_of(room_id.view()));
  }
  if (lane.head_ && (lane.spoiled_ || lane.chain_->broken() || lane.generation_ != generation)) {
    // What was queued before the piece that failed may still be on its way: a head read now would lack it.
    lane.wait_until_idle();
    lane.head_.reset();
    lane.spoiled_ = false;
  }
  if (!lane.head_) {
    if (auto loaded = load(lane, room_id, generation); !loaded) {
      drop_unknown(room_id, guard.lane_);
      return std::move(loaded).error();
    }
  } else if (lane.idle()) {
    lane.head_->drop_events();
  }
  lane.head_->forget_committed();
  return guard;
}

Result<void> Lanes::load(Lane& lane, const RoomId& room_id, std::uint64_t generation) {
  auto head = store_.read([&](storage::Session& session) { return RoomHead::load(session, room_id); });
  if (!head) return std::move(head).error();
  if (!*head) return not_found("unknown_room", "this server does not know the room " + room_id.str());
  lane.head_.emplace(std::move(**head));
  lane.generation_ = generation;
  lane.chain_ = std::make_shared<storage::Chain>(log::lane_of(room_id.view()), generation);
  return {};
}

std::shared_ptr<Lane> Lanes::find_or_make(const RoomId& room_id) {
  const std::lock_guard lock(mutex_);
  auto it = slots_.find(room_id);
  if (it == slots_.end()) {
    order_.push_front(room_id);
    it = slots_.emplace(room_id, Slot{std::make_shared<Lane>(), 0, order_.begin()}).first;
  } else {
    order_.splice(order_.begin(), order_, it->second.order);
  }
  return it->second.lane;
}

void Lanes::drop_unknown(const RoomId& room_id, const std::shared_ptr<Lane>& lane) {
  const std::lock_guard lock(mutex_);
  const auto it = slots_.find(room_id);
  // Others may wait for this lane: a room must never have two, so the last one drops it.
  if (it == slots_.end() || it->second.lane != lane || lane.use_count() > 2) return;
  bytes_ -= it->second.bytes;
  order_.erase(it->second.order);
  slots_.erase(it);
}

void Lanes::account(const RoomId& room_id, const std::shared_ptr<Lane>& lane, std::size_t bytes) {
  std::vector<std::shared_ptr<Lane>> dropped;  // destroyed outside the lock
  const std::lock_guard lock(mutex_);
  const auto it = slots_.find(room_id);
  if (it == slots_.end() || it->second.lane != lane) return;
  bytes_ += bytes - it->second.bytes;
  it->second.bytes = bytes;
  // A lane that anybody holds or that has something queued is named elsewhere too, and stays.
  for (auto last = order_.end(); bytes_ > max_bytes_ && last != order_.begin();) {
    const auto slot = slots_.find(*--last);
    if (slot->second.lane.use_count() > 1) continue;
    bytes_ -= slot->second.bytes;
    dropped.push_back(std::move(slot->second.lane));
    last = order_.erase(last);
    slots_.erase(slot);
  }
}

void Lanes::adopt(RoomHead head, std::uint64_t generation) {
  const RoomId room_id = head.room_id();
  const std::shared_ptr<Lane> lane = find_or_make(room_id);
  LaneGuard guard(*this, lane);
  if (lane->head_) return;
  lane->generation_ = generation;
  lane->chain_ = std::make_shared<storage::Chain>(log::lane_of(room_id.view()), generation);
  lane->head_.emplace(std::move(head));
}

std::size_t Lanes::loaded() const {
  const std::lock_guard lock(mutex_);
  return slots_.size();
}

std::size_t Lanes::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace backplane::room_server
