// Room records into memory.
#include <algorithm>

#include "tail/parked_sync.h"
#include "tail/read_model_lock.h"

namespace backplane::sync_api {

using api::RoomEventKind;
using matrix::Membership;

namespace {

/// Records that are followed before the index has them. Each costs 2 KB or so.
constexpr std::size_t max_recent = 20'000;
constexpr Duration longest_wait_for_index = std::chrono::seconds(10);

/// Whether it has to be looked at even if nothing but bodies is in memory. A cheap look at its text.
bool may_change_bodies(const log::Record& record) {
  static const std::string redacted = "\"" + std::string(enum_name(RoomEventKind::redacted)) + "\"";
  return record.payload.find(redacted) != std::string::npos;
}

bool carries_event(const api::RoomEventRecord& record) {
  return record.kind == RoomEventKind::new_event || record.kind == RoomEventKind::redacted;
}

}  // namespace

/// Where very many records are to be followed, after a restore say: those that the index has are of no interest while
/// nothing has been loaded, which answers up to where that is; and where the index is slower than the log, it is waited
/// for. When it is stuck, or has stopped, memory grows rather than that no news come.
log::Positions ReadModel::keep_pace_with_index() {
  log::Positions older_half;
  {
    const Lock lock(*this);
    const log::Positions indexed = topics_.indexed_rooms->position();
    if (users_.empty() && rooms_.empty() && loading_ == 0) of_no_interest_ = indexed;
    if (recent_rooms_.size() < max_recent) return of_no_interest_;
    if (loading_ == 0) recent_rooms_.prune(indexed);
    if (recent_rooms_.size() < max_recent) return of_no_interest_;
    older_half = recent_rooms_.older_half();
  }
  topics_.indexed_rooms->wait_for(older_half, clock_.now() + longest_wait_for_index);
  const Lock lock(*this);
  return of_no_interest_;
}

void ReadModel::apply_rooms(const log::Batch& batch) {
  const log::Positions of_no_interest = keep_pace_with_index();
  // What costs time is done before the mutex is taken.
  std::vector<std::pair<RoomRecordPtr, EventPtr>> records;
  records.reserve(batch.records.size());
  for (const log::RecordPtr& raw : batch.records) {
    if (of_no_interest.covers(raw->position) && !may_change_bodies(*raw)) continue;
    auto record = parse_record<api::RoomEventRecord>(*raw);
    if (!record) {
      log_.error("unreadable record", {{"topic", raw->topic}, {"key", raw->key}, {"error", record.error().text}});
      continue;
    }
    const auto& data = (*record)->data;
    EventPtr event;
    if (carries_event(data)) {
      event = make_client_event(data.event_id, data.event, data.room_version, data.content_version);
    }
    if (data.kind == RoomEventKind::redacted) events_.raise(data.event_id, data.content_version);
    events_.insert(event);
    records.emplace_back(std::move(*record), std::move(event));
  }

  Woken woken;
  woken.indexed = topics_.indexed_rooms->position();
  std::unique_lock lock(mutex_);
  if (loading_ == 0) recent_rooms_.prune(woken.indexed);
  for (const auto& [record, event] : records) apply_room(record, event, woken);
  applied_.room_events.merge(batch.after);
  finish(woken, lock);
}

void ReadModel::apply_room(const RoomRecordPtr& record, const EventPtr& event, Woken& woken) {
  const auto& data = record->data;
  recent_rooms_.add(record);
  const auto found = rooms_.find(data.room_id);
  if (found != rooms_.end()) {
    Room& room = *found->second;
    if (data.kind == RoomEventKind::redacted) {
      if (room.tail) room.tail->replace_event(data.event_id, event);
    } else if (data.kind == RoomEventKind::purged) {
      if (room.tail) room.tail->remove_event(data.event_id);
    } else if (data.kind == RoomEventKind::room_deleted) {
      room.tail.reset();
    } else if (const EntryPtr entry = make_entry(data, record->position, event)) {
      room.lane = record->position.lane;
      if (room.tail) {
        room.tail->apply(entry);
        room.tail->trim(woken.indexed.of(room.lane), limits_.tail_entries);
      }
      if (entry->kind != EntryKind::history) {
        room.last_event = std::max(room.last_event, record->position.sequence);
        for (UserStream* user : room.active) {
          user->relevant.room_events.advance(record->position);
          woken.users.insert(user);
        }
      }
    }
  }
  if (data.membership) apply_membership(record, woken);
}

void ReadModel::apply_membership(const RoomRecordPtr& record, Woken& woken) {
  const auto user = users_.find(record->data.membership->user);
  if (user == users_.end()) return;
  apply_membership_to(*user->second, *record);
  user->second->relevant.room_events.advance(record->position);
  woken.users.insert(user->second.get());
}

void ReadModel::apply_membership_to(UserStream& user, const RoomRecord& record) {
  const auto& data = record.data;
  const Sequence at = record.position.sequence;
  const auto set_pending = [&](Membership membership) {
    auto& pending = user.pending[data.room_id];
    if (pending.position.sequence > at) return;
    pending = {record.position, membership, data.event_id,
               std::make_shared<const std::string>(data.stripped_state.text)};
  };
  switch (data.kind) {
    case RoomEventKind::invite: return set_pending(Membership::invite);
    case RoomEventKind::knock: return set_pending(Membership::knock);
    case RoomEventKind::retired: return set_pending(Membership::leave);
    case RoomEventKind::forgotten: {
      auto& forgotten = user.forgotten[data.room_id];
      forgotten = std::max(forgotten, at);
      return;
    }
    case RoomEventKind::new_event:
    case RoomEventKind::state_changed:
    case RoomEventKind::state_rewritten: break;
    default: return;
  }
  auto [it, is_new] = user.rooms.try_emplace(data.room_id);
  UserRoom& membership = it->second;
  if (is_new) membership.room = room_for(data.room_id, nullptr);
  if (!is_new && membership.since >= at) return;
  const Membership before = is_new ? Membership::leave : membership.membership;
  if (is_new || !is_out(before)) membership.out_since = at;
  membership.membership = matrix::membership_from(data.membership->after).value_or(Membership::leave);
  membership.since = at;
  membership.event_id = data.state_change ? data.state_change->new_event_id : data.event_id;
  if (membership.membership != Membership::join && before == Membership::join) membership.left_at = at;
  if (membership.membership == Membership::join && before != Membership::join) membership.joined_since = at;
  membership.room->lane = record.position.lane;
  membership.room->last_event = std::max(membership.room->last_event, at);
  set_active(user, membership);
}

void ReadModel::set_active(UserStream& user, const UserRoom& membership) {
  auto& active = membership.room->active;
  const auto it = std::find(active.begin(), active.end(), &user);
  if (membership.membership == Membership::join) {
    if (it == active.end()) active.push_back(&user);
  } else if (it != active.end()) {
    active.erase(it);
  }
}

void ReadModel::finish(Woken& woken, std::unique_lock<std::mutex>& lock) {
  std::vector<ParkedPtr> polls;
  for (UserStream* user : woken.users) {
    for (ParkedPtr& poll : user->parked) polls.push_back(std::move(poll));
    user->parked.clear();
  }
  lock.unlock();
  if (!polls.empty() && wake_) wake_(std::move(polls));
}

}  // namespace backplane::sync_api
