#include "tail/user_stream.h"

namespace backplane::sync_api {

namespace {
constexpr std::size_t max_lazy_members = 20'000;
}

bool LazyMembers::knows(const RoomId& room, std::string_view user, const EventId& event_id) const {
  const std::lock_guard lock(mutex_);
  const auto in_room = sent_.find(room);
  if (in_room == sent_.end()) return false;
  const auto it = in_room->second.find(std::hash<std::string_view>{}(user));
  return it != in_room->second.end() && it->second == std::hash<EventId>{}(event_id);
}

void LazyMembers::add(const RoomId& room, std::string_view user, const EventId& event_id) {
  const std::lock_guard lock(mutex_);
  if (size_ >= max_lazy_members) {
    sent_.clear();
    size_ = 0;
  }
  const auto [it, is_new] =
      sent_[room].insert_or_assign(std::hash<std::string_view>{}(user), std::hash<EventId>{}(event_id));
  if (is_new) ++size_;
}

void LazyMembers::begin(std::string_view since) {
  const std::lock_guard lock(mutex_);
  if (since.empty() || since == last_since_) {
    sent_.clear();
    size_ = 0;
  }
  last_since_ = since;
}

}  // namespace backplane::sync_api
