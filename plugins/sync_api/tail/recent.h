// The records that this process has followed and the durable index does not hold yet. What is read from the index is
// completed with them. Guarded by the read model's mutex.
#pragma once

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <vector>

#include "tail/records.h"

namespace backplane::sync_api {

template <class T>
class Recent {
 public:
  using Ptr = ParsedPtr<T>;
  void add(const Ptr& record) {
    if (by_position_.try_emplace(key(record->position), record).second) records_.push_back(record);
  }
  /// The record at a position, so that the index need not parse it again.
  Ptr find(log::Position position) const {
    const auto it = by_position_.find(key(position));
    return it == by_position_.end() ? nullptr : it->second;
  }
  /// Calls `dropped` with each record that the index holds now.
  template <class Dropped>
  void prune(const log::Positions& indexed, Dropped dropped) {
    if (indexed == pruned_) return;
    pruned_ = indexed;
    std::erase_if(records_, [&](const Ptr& record) {
      if (!indexed.covers(record->position)) return false;
      by_position_.erase(key(record->position));
      dropped(record);
      return true;
    });
  }
  void prune(const log::Positions& indexed) {
    prune(indexed, [](const Ptr&) {});
  }
  const std::deque<Ptr>& all() const { return records_; }
  void clear() {
    records_.clear();
    by_position_.clear();
    pruned_ = {};
  }

 private:
  static std::uint64_t key(log::Position p) { return (std::uint64_t{p.lane} << 48) ^ p.sequence; }
  std::deque<Ptr> records_;
  std::unordered_map<std::uint64_t, Ptr> by_position_;
  log::Positions pruned_;
};

/// Room records, and quick ways to those of a room or about a user.
class RecentRooms {
 public:
  void add(const RoomRecordPtr& record) {
    if (records_.find(record->position)) return;
    records_.add(record);
    by_room_[record->data.room_id].push_back(record);
    if (record->data.membership) by_user_[record->data.membership->user].push_back(record);
  }
  RoomRecordPtr find(log::Position position) const { return records_.find(position); }
  std::vector<RoomRecordPtr> of_room(const RoomId& room) const { return get(by_room_, room); }
  std::vector<RoomRecordPtr> of_user(const UserId& user) const { return get(by_user_, user); }
  void prune(const log::Positions& indexed) {
    records_.prune(indexed, [&](const RoomRecordPtr& record) {
      drop(by_room_, record->data.room_id, record);
      if (record->data.membership) drop(by_user_, record->data.membership->user, record);
    });
  }
  std::size_t size() const { return records_.all().size(); }
  /// Up to where the older half is.
  log::Positions older_half() const {
    log::Positions positions;
    for (std::size_t i = 0; i < size() / 2; ++i) positions.advance(records_.all()[i]->position);
    return positions;
  }
  void clear() {
    records_.clear();
    by_room_.clear();
    by_user_.clear();
  }

 private:
  template <class Key>
  using Lists = std::unordered_map<Key, std::deque<RoomRecordPtr>>;
  template <class Key>
  static std::vector<RoomRecordPtr> get(const Lists<Key>& lists, const Key& key) {
    const auto it = lists.find(key);
    if (it == lists.end()) return {};
    return {it->second.begin(), it->second.end()};
  }
  template <class Key>
  static void drop(Lists<Key>& lists, const Key& key, const RoomRecordPtr& record) {
    const auto it = lists.find(key);
    if (it == lists.end()) return;
    // What is indexed first came first.
    if (it->second.front() == record) it->second.pop_front();
    else std::erase(it->second, record);
    if (it->second.empty()) lists.erase(it);
  }
  Recent<api::RoomEventRecord> records_;
  Lists<RoomId> by_room_;
  Lists<UserId> by_user_;
};

}  // namespace backplane::sync_api
