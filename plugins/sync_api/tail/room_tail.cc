#include "tail/room_tail.h"

#include <algorithm>
#include <array>

namespace backplane::sync_api {

using matrix::Membership;

namespace {
constexpr std::string_view member_type = "m.room.member";
constexpr std::size_t heroes_kept = 6;                                             // five, and the reader
constexpr std::size_t state_bytes = 300, member_bytes = 250, receipt_bytes = 500;  // about
}  // namespace

TailRows read_tail_rows(storage::Session& session, const RoomId& room, std::size_t entries) {
  TailRows rows;
  const auto row = store::find_room(session, room);
  if (!row) return rows;
  rows.room = *row;
  rows.entries = store::timeline_back(session, *row, 0, no_bound, entries);
  if (rows.entries.size() == entries) rows.floor = rows.entries.back()->sequence - 1;
  for (EntryPtr& entry : rows.entries) entry = store::with_change(session, *row, entry);
  rows.state = store::state_at(session, *row, static_cast<Sequence>(store::open_end) - 1);
  rows.receipts = store::receipts(session, *row);
  return rows;
}

RoomTail::RoomTail(TailRows rows) : lane_(rows.room.lane), floor_(rows.floor), last_(rows.room.last_sequence) {
  for (auto it = rows.entries.rbegin(); it != rows.entries.rend(); ++it) {
    bytes_ += (*it)->bytes();
    entries_.push_back(std::move(*it));
  }
  for (StateItem& item : rows.state) {
    if (item.type == member_type) {
      set_member(item.state_key, item.membership, item.event_id, item.since);
    } else {
      bytes_ += state_bytes;
      StateKey key{item.type, item.state_key};
      state_.insert_or_assign(std::move(key), std::move(item));
    }
  }
  for (store::Receipt& receipt : rows.receipts) put_receipt(std::move(receipt));
}

void RoomTail::set_member(const std::string& user, Membership membership, const EventId& event_id, Sequence since) {
  auto [it, is_new] = members_.try_emplace(user);
  if (is_new) bytes_ += member_bytes;
  const auto count = [&](Membership m, int by) {
    if (m == Membership::join) joined_ += by;
    if (m == Membership::invite) invited_ += by;
  };
  if (!is_new) count(it->second.membership, -1);
  count(membership, 1);
  it->second = {membership, event_id, since};
  summary_.reset();
}

void RoomTail::apply(const EntryPtr& entry) {
  const std::lock_guard lock(mutex_);
  if (entry->sequence <= last_) return;
  last_ = entry->sequence;
  if (entry->kind == EntryKind::history) return;
  bytes_ += entry->bytes();
  entries_.push_back(entry);
  if (!entry->change) return;
  const api::StateChange& change = *entry->change;
  if (change.type == member_type) {
    const auto after = entry->membership ? matrix::membership_from(entry->membership->after) : std::nullopt;
    set_member(change.state_key, after.value_or(Membership::leave), change.new_event_id, entry->sequence);
  } else if (change.new_event_id.empty()) {
    state_.erase({change.type, change.state_key});
  } else {
    auto [it, is_new] = state_.try_emplace({change.type, change.state_key});
    if (is_new) bytes_ += state_bytes;
    it->second = {change.type, change.state_key, change.new_event_id, entry->sequence, {}};
  }
}

void RoomTail::apply_receipt(const ReceiptRecord& record) {
  const std::lock_guard lock(mutex_);
  const auto& r = record.data;
  put_receipt({r.user.str(), r.receipt_type, r.thread_id, r.event_id, r.ts, record.position});
}

void RoomTail::put_receipt(store::Receipt receipt) {
  const std::uint64_t sequence = receipt.position.sequence;
  auto [it, is_new] = receipt_index_.try_emplace({receipt.user, receipt.type, receipt.thread}, sequence);
  if (!is_new) {
    if (it->second >= sequence) return;
    receipts_.erase(it->second);
    it->second = sequence;
  } else {
    bytes_ += receipt_bytes;
  }
  receipts_.insert_or_assign(sequence, std::move(receipt));
}

void RoomTail::replace_event(const EventId& event_id, const EventPtr& event) {
  const std::lock_guard lock(mutex_);
  for (EntryPtr& entry : entries_) {
    if (entry->event_id != event_id) continue;
    auto changed = std::make_shared<TimelineEntry>(*entry);
    changed->event = event;
    entry = std::move(changed);
  }
}

void RoomTail::remove_event(const EventId& event_id) {
  const std::lock_guard lock(mutex_);
  for (EntryPtr& entry : entries_) {
    if (entry->event_id != event_id || entry->kind != EntryKind::timeline) continue;
    // What it changed of the state remains.
    auto changed = std::make_shared<TimelineEntry>(*entry);
    changed->kind = EntryKind::state_change;
    changed->event = nullptr;
    entry = std::move(changed);
  }
}

void RoomTail::trim(Sequence indexed, std::size_t keep) {
  const std::lock_guard lock(mutex_);
  while (entries_.size() > keep && entries_.front()->sequence <= indexed) {
    bytes_ -= std::min(bytes_, entries_.front()->bytes());
    floor_ = entries_.front()->sequence;
    entries_.pop_front();
  }
}

std::size_t RoomTail::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_ + sizeof(RoomTail);
}

Sequence RoomTail::floor() const {
  const std::lock_guard lock(mutex_);
  return floor_;
}

std::optional<std::vector<StateItem>> RoomTail::state_at(Sequence at, bool members) const {
  const std::lock_guard lock(mutex_);
  if (at < floor_) return std::nullopt;
  // What changed later, with what held before: the oldest change wins.
  std::map<StateKey, const TimelineEntry*> undone;
  for (auto it = entries_.rbegin(); it != entries_.rend() && (*it)->sequence > at; ++it) {
    if ((*it)->change) undone[{(*it)->change->type, (*it)->change->state_key}] = it->get();
  }
  std::vector<StateItem> items;
  items.reserve(state_.size() + (members ? members_.size() : 0));
  for (const auto& [key, item] : state_) {
    if (undone.empty() || !undone.contains(key)) items.push_back(item);
  }
  if (members) {
    for (const auto& [user, member] : members_) {
      if (!undone.empty() && undone.contains({std::string(member_type), user})) continue;
      if (member.event_id.empty()) continue;
      items.push_back({std::string(member_type), user, member.event_id, member.since, member.membership});
    }
  }
  for (const auto& [key, entry] : undone) {
    if (entry->change->old_event_id.empty() || (!members && key.first == member_type)) continue;
    const auto before = entry->membership ? matrix::membership_from(entry->membership->before) : std::nullopt;
    items.push_back({key.first, key.second, entry->change->old_event_id, 0, before.value_or(Membership::leave)});
  }
  return items;
}

std::optional<std::optional<StateItem>> RoomTail::find_state(const std::string& type, const std::string& key,
                                                             Sequence at) const {
  const std::lock_guard lock(mutex_);
  if (at < floor_) return std::nullopt;
  const TimelineEntry* undone = nullptr;
  for (auto it = entries_.rbegin(); it != entries_.rend() && (*it)->sequence > at; ++it) {
    const auto& change = (*it)->change;
    if (change && change->state_key == key && change->type == type) undone = it->get();
  }
  if (undone != nullptr) {
    if (undone->change->old_event_id.empty()) return std::optional<StateItem>();
    const auto before = undone->membership ? matrix::membership_from(undone->membership->before) : std::nullopt;
    return std::optional<StateItem>({type, key, undone->change->old_event_id, 0, before.value_or(Membership::leave)});
  }
  if (type == member_type) {
    const auto it = members_.find(key);
    if (it == members_.end() || it->second.event_id.empty()) return std::optional<StateItem>();
    return std::optional<StateItem>({type, key, it->second.event_id, it->second.since, it->second.membership});
  }
  const auto it = state_.find({type, key});
  if (it == state_.end()) return std::optional<StateItem>();
  return std::optional<StateItem>(it->second);
}

MembershipHistory RoomTail::history_of(const UserId& user) const {
  const std::lock_guard lock(mutex_);
  MembershipHistory history;
  std::optional<Membership> first;
  for (const EntryPtr& entry : entries_) {
    if (!entry->membership || entry->membership->user != user) continue;
    if (!first) first = matrix::membership_from(entry->membership->before).value_or(Membership::leave);
    history.add(entry->sequence, matrix::membership_from(entry->membership->after).value_or(Membership::leave));
  }
  if (!first) {
    const auto member = members_.find(user.str());
    first = member == members_.end() ? Membership::leave : member->second.membership;
  }
  history.set_first(*first);
  return history;
}

std::shared_ptr<const RoomSummary> RoomTail::summary() const {
  const std::lock_guard lock(mutex_);
  if (summary_) return summary_;
  auto summary = std::make_shared<RoomSummary>();
  summary->joined = joined_;
  summary->invited = invited_;
  // Spec, room summary: the first members who are joined or invited, in the order of the stream; without any, those
  // who were there.
  std::vector<std::pair<Sequence, const std::string*>> present, gone;
  for (const auto& [user, member] : members_) {
    const bool is_present = member.membership == Membership::join || member.membership == Membership::invite;
    (is_present ? present : gone).emplace_back(member.since, &user);
  }
  auto& chosen = present.size() > 1 ? present : gone;
  const auto count = std::min(heroes_kept, chosen.size());
  std::partial_sort(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(count), chosen.end());
  for (std::size_t i = 0; i < count; ++i) summary->heroes.push_back(*chosen[i].second);
  summary_ = std::move(summary);
  return summary_;
}

std::vector<store::Receipt> RoomTail::receipts_after(const log::Positions& after, const log::Positions& upto) const {
  const std::lock_guard lock(mutex_);
  std::vector<store::Receipt> found;
  for (auto it = receipts_.upper_bound(after.base()); it != receipts_.end(); ++it) {
    if (!after.covers(it->second.position) && upto.covers(it->second.position)) found.push_back(it->second);
  }
  return found;
}

}  // namespace backplane::sync_api
