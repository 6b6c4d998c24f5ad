#include "typing/typing.h"

#include "backplane/api/edu_server.h"

namespace backplane::edu_server {

struct Typing::State : std::enable_shared_from_this<State> {
  State(Clock& c, plugin::Timers& t, log::Publisher& p) : clock(c), timers(t), publisher(p) {}

  using Users = std::map<UserId, Instant>;  // until when

  Clock& clock;
  plugin::Timers& timers;
  log::Publisher& publisher;
  mutable std::mutex mutex;
  std::unordered_map<RoomId, Users> rooms;

  /// With the mutex held, so that records come in the order of the changes.
  void publish(const RoomId& room, const Users& users) {
    api::TypingRecord record{room, {}};
    Instant last{};
    for (const auto& [user, until] : users) {
      record.users.push_back(user);
      last = std::max(last, until);
    }
    // That nobody types is news for as long as somebody may have heard otherwise.
    const Duration expires_in = users.empty() ? std::chrono::minutes(1) : last - clock.now();
    publisher.publish_volatile(room.view(), to_json(record), expires_in);
  }

  void expire(const RoomId& room) {
    const std::lock_guard lock(mutex);
    const auto it = rooms.find(room);
    if (it == rooms.end()) return;
    const Instant now = clock.now();
    if (std::erase_if(it->second, [&](const auto& entry) { return entry.second <= now; }) == 0) return;
    publish(room, it->second);
    if (it->second.empty()) rooms.erase(it);
  }
};

Typing::Typing(Clock& clock, plugin::Timers& timers, log::Publisher& publisher)
    : state_(std::make_shared<State>(clock, timers, publisher)) {}

void Typing::set(const RoomId& room, const UserId& user, Duration duration) {
  const std::lock_guard lock(state_->mutex);
  const Instant now = state_->clock.now();
  if (duration <= Duration::zero()) {
    const auto it = state_->rooms.find(room);
    if (it == state_->rooms.end() || it->second.erase(user) == 0) return;
    state_->publish(room, it->second);
    if (it->second.empty()) state_->rooms.erase(it);
    return;
  }
  State::Users& users = state_->rooms[room];
  const bool news = !users.contains(user);
  const Instant until = now + duration;
  users[user] = until;
  state_->timers.at(until, [weak = state_->weak_from_this(), room] {
    if (const auto state = weak.lock()) state->expire(room);
  });
  if (news) state_->publish(room, users);
}

std::vector<UserId> Typing::list(const RoomId& room) const {
  std::vector<UserId> users;
  const std::lock_guard lock(state_->mutex);
  if (const auto it = state_->rooms.find(room); it != state_->rooms.end()) {
    for (const auto& [user, until] : it->second) users.push_back(user);
  }
  return users;
}

}  // namespace backplane::edu_server
