// What memory lacks, from the index. A load reads the database without the mutex and is completed under it with the
// records that came meanwhile; while it runs, no record leaves memory.
#include <algorithm>
#include <condition_variable>

#include "backplane/base/encoding.h"
#include "tail/read_model_lock.h"

namespace backplane::sync_api {

using matrix::Membership;

namespace {

constexpr Duration index_wait = std::chrono::seconds(10);
constexpr Duration look_again = std::chrono::milliseconds(20);
constexpr std::size_t messages_loaded = 500;

/// Counts a load as long as it lives.
class Loading {
 public:
  Loading(std::mutex& mutex, std::size_t& loading) : mutex_(mutex), loading_(loading) {
    const std::lock_guard lock(mutex_);
    ++loading_;
  }
  ~Loading() {
    const std::lock_guard lock(mutex_);
    --loading_;
  }
  Loading(const Loading&) = delete;
  Loading& operator=(const Loading&) = delete;

 private:
  std::mutex& mutex_;
  std::size_t& loading_;
};

Error index_behind() { return unavailable("index_behind", "the index of rooms is being built: try again soon"); }

}  // namespace

Result<void> ReadModel::wait_for_index(const Access& access) {
  {
    const Lock lock(*this);
    if (index_ready_) return {};
  }
  if (!access.may_block) return would_block();
  const Instant until = clock_.now() + index_wait;
  const bool ready = epoch(until).ok() && topics_.indexed_rooms->wait_for(topics_.room_events->head(), until) &&
                     topics_.indexed_client_data->wait_for(topics_.client_data->head(), until) &&
                     topics_.indexed_receipts->wait_for(topics_.receipts->head(), until) &&
                     topics_.indexed_to_device->wait_for(topics_.send_to_device->head(), until);
  if (!ready) return index_behind();
  const Lock lock(*this);
  index_ready_ = true;
  return {};
}

Result<UserPtr> ReadModel::user(const Access& access, const UserId& user) {
  {
    const Lock lock(*this);
    if (const auto it = users_.find(user); it != users_.end()) {
      it->second->used = clock_.now();
      return it->second;
    }
  }
  if (!access.may_block) return would_block();
  BACKPLANE_CHECK(wait_for_index(access));
  const Loading loading(mutex_, loading_);
  BACKPLANE_TRY(rows, store_.read([&](storage::Session& session) { return store::load_user(session, user); }));
  return merge_user(user, std::move(rows));
}

UserPtr ReadModel::merge_user(const UserId& user, store::UserRows rows) {
  const Lock lock(*this);
  if (const auto it = users_.find(user); it != users_.end()) return it->second;
  auto stream = std::make_shared<UserStream>(user);
  stream->used = clock_.now();
  stream->forgotten = std::move(rows.forgotten);
  for (store::UserRoomRow& row : rows.rooms) {
    UserRoom membership{
        room_for(row.room_id, &row.room), row.membership, row.since, row.joined_since, row.left_at, row.out_since,
        std::move(row.event_id)};
    set_active(*stream, membership);
    stream->rooms.emplace(std::move(row.room_id), std::move(membership));
  }
  for (store::PendingRow& row : rows.pending) {
    stream->pending.emplace(std::move(row.room_id),
                            PendingRoom{row.position, row.membership, std::move(row.event_id),
                                        std::make_shared<const std::string>(std::move(row.stripped))});
  }
  for (store::AccountDataRow& row : rows.account_data) {
    stream->account_data.emplace(
        std::pair{std::move(row.room_id), std::move(row.type)},
        AccountData{row.position, std::make_shared<const std::string>(std::move(row.content))});
  }
  for (const RoomRecordPtr& record : recent_rooms_.of_user(user)) apply_membership_to(*stream, *record);
  for (const auto& record : recent_client_data_.all()) {
    if (record->data.user == user) apply_account_data(*stream, *record);
  }
  // What happened before is not known to be relevant or not: a token below this is looked at in full, once.
  stream->relevant = followed();
  users_.emplace(user, stream);
  return stream;
}

RoomPtr ReadModel::room_for(const RoomId& id, const store::RoomRow* row) {
  auto [it, is_new] = rooms_.try_emplace(id);
  if (!is_new) {
    if (row != nullptr) it->second->last_event = std::max(it->second->last_event, row->last_sequence);
    return it->second;
  }
  it->second = std::make_shared<Room>(id);
  Room& room = *it->second;
  if (row != nullptr) {
    room.lane = row->lane;
    room.last_event = row->last_sequence;
    room.last_receipt = {row->receipt_lane, row->last_receipt};
  }
  for (const RoomRecordPtr& record : recent_rooms_.of_room(id)) {
    if (make_entry(record->data, record->position, nullptr) == nullptr) continue;
    room.lane = record->position.lane;
    if (record->data.kind != api::RoomEventKind::history) {
      room.last_event = std::max(room.last_event, record->position.sequence);
    }
  }
  for (const auto& record : recent_receipts_.all()) {
    if (record->data.room_id == id && record->position.sequence > room.last_receipt.sequence) {
      room.last_receipt = record->position;
    }
  }
  return it->second;
}

Result<DevicePtr> ReadModel::device(const Access& access, const UserPtr& user, const DeviceId& device) {
  // Rows go lazily once they are acknowledged: what is loaded begins after them, or the first page would be all of
  // them.
  log::Positions acknowledged;
  {
    const Lock lock(*this);
    auto& kept = user->devices[device];
    if (kept == nullptr) kept = std::make_shared<DeviceStream>();
    if (kept->loaded && (kept->complete || !kept->messages.empty())) return kept;
    acknowledged = kept->acknowledged;
  }
  if (!access.may_block) return would_block();
  const Loading loading(mutex_, loading_);
  BACKPLANE_TRY(rows, store_.read([&](storage::Session& session) {
    return store::to_device(session, user->user, device, acknowledged, messages_loaded);
  }));
  const Lock lock(*this);
  DevicePtr& kept = user->devices[device];
  if (kept == nullptr) kept = std::make_shared<DeviceStream>();
  if (kept->loaded && (kept->complete || !kept->messages.empty())) return kept;
  kept->loaded = true;
  kept->complete = rows.size() < messages_loaded;
  kept->messages.clear();
  for (store::ToDeviceRow& row : rows) {
    if (kept->acknowledged.covers(row.position)) continue;
    kept->messages.push_back({row.position, std::make_shared<const std::string>(std::move(row.body))});
  }
  if (!kept->complete) return kept;
  const Sequence last = kept->messages.empty() ? 0 : kept->messages.back().position.sequence;
  for (const auto& record : recent_to_device_.all()) {
    if (record->data.user != user->user || record->data.device != device) continue;
    if (record->position.sequence <= last || kept->acknowledged.covers(record->position)) continue;
    kept->messages.push_back(
        {record->position, std::make_shared<const std::string>(store::to_device_body(record->data))});
  }
  return kept;
}

Result<std::shared_ptr<RoomTail>> ReadModel::tail(const Access& access, const RoomPtr& room) {
  {
    const Lock lock(*this);
    room->used = ++uses_;
    if (room->tail) return room->tail;
  }
  if (!access.may_block) return would_block();
  BACKPLANE_CHECK(wait_for_index(access));
  const Loading loading(mutex_, loading_);
  BACKPLANE_TRY(rows, store_.read([&](storage::Session& session) {
    return read_tail_rows(session, room->id, limits_.tail_entries);
  }));
  auto tail = std::make_shared<RoomTail>(std::move(rows));

  const Lock lock(*this);
  if (room->tail) return room->tail;
  for (const RoomRecordPtr& record : recent_rooms_.of_room(room->id)) {
    if (record->data.kind == api::RoomEventKind::purged) tail->remove_event(record->data.event_id);
    const EventPtr event = events_.find(record->data.event_id);
    if (const EntryPtr entry = make_entry(record->data, record->position, event)) tail->apply(entry);
  }
  for (const auto& record : recent_receipts_.all()) {
    if (record->data.room_id == room->id) tail->apply_receipt(*record);
  }
  room->tail = tail;
  tail_bytes_ += tail->bytes();
  if (tail_bytes_ > limits_.tail_bytes) evict_tails();
  return tail;
}

Result<void> ReadModel::index_room(const Access& access, const RoomId& room) {
  BACKPLANE_CHECK(wait_for_index(access));
  log::Positions last;
  {
    const Lock lock(*this);
    for (const RoomRecordPtr& record : recent_rooms_.of_room(room)) last.advance(record->position);
  }
  if (last == log::Positions() || topics_.indexed_rooms->position().covers(last)) return {};
  if (!access.may_block) return would_block();
  if (!topics_.indexed_rooms->wait_for(last, clock_.now() + index_wait)) return index_behind();
  return {};
}

Result<std::string> ReadModel::epoch(Instant until) {
  std::mutex mutex;
  std::condition_variable never;
  for (;;) {
    {
      const Lock lock(*this);
      if (epoch_.empty()) read_epoch();
      if (!epoch_.empty()) return epoch_;
    }
    const Instant now = clock_.now();
    if (now >= until) return unavailable("logs_unknown", "not all logs have been heard of here yet: try again");
    std::unique_lock lock(mutex);
    clock_.wait_until(never, lock, std::min(until, now + look_again));
  }
}

/// A host that begins may not have heard of every log yet. Tokens of some of them only would be of another history.
void ReadModel::read_epoch() {
  epoch_.clear();
  std::string all;
  for (const log::Tail* tail : {topics_.room_events, topics_.client_data, topics_.receipts, topics_.send_to_device}) {
    const std::string epoch = tail->epoch();
    if (epoch.empty()) return;
    all += epoch;
    all += '\n';
  }
  epoch_ = hex(as_text(sha256(all)).substr(0, 4));
}

}  // namespace backplane::sync_api
