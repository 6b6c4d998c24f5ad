// What readers ask of memory.
#include <algorithm>

#include "tail/parked_sync.h"
#include "tail/read_model_lock.h"

namespace backplane::sync_api {

using matrix::Membership;

namespace {
constexpr std::size_t messages_in_a_reply = 100;
constexpr Duration typing_kept = std::chrono::hours(1);

Error behind() { return unavailable("behind", "this host has not followed that far: try again"); }

/// Whether nobody has said how far one of the lanes has come that `position` is ahead in: the host that wrote it has
/// gone, and no other has taken it yet.
bool is_silent(const log::Positions& head, const log::Positions& position) {
  if (head == log::Positions()) return false;
  for (std::uint16_t lane = 0; lane < log::lane_count; ++lane)
    if (head.of(lane) == 0 && position.of(lane) != 0) return true;
  return false;
}
}  // namespace

ReadModel::ReadModel(storage::Store& store, EventCache& events, Clock& clock, Logger logger, Limits limits)
    : store_(store), events_(events), clock_(clock), log_(std::move(logger)), limits_(limits) {}

void ReadModel::follow(Instant until, Follow how) {
  for (log::Tail* tail :
       {topics_.room_events, topics_.client_data, topics_.receipts, topics_.send_to_device, topics_.typing}) {
    log::Positions head = tail->head();
    if (how == Follow::what_is_committed) {
      // A producer that cannot be asked is no reason to answer nothing.
      if (const auto asked = tail->ask_head(until)) head.merge(*asked);
    }
    if (!tail->followed().covers(head)) tail->wait_for(head, until);
  }
}

SyncToken ReadModel::now() const {
  const Lock lock(*this);
  return followed();
}

SyncToken ReadModel::followed() const {
  // A tail begins where the index ends, and may come further without records.
  SyncToken now = applied_;
  now.epoch = epoch_;
  now.room_events.merge(topics_.room_events->followed());
  now.client_data.merge(topics_.client_data->followed());
  now.receipts.merge(topics_.receipts->followed());
  now.send_to_device.merge(topics_.send_to_device->followed());
  now.typing.merge(topics_.typing->followed());
  return now;
}

Result<bool> ReadModel::reached(const SyncToken& token, Instant until) {
  const std::pair<log::Tail*, const log::Positions*> topics[] = {{topics_.room_events, &token.room_events},
                                                                 {topics_.client_data, &token.client_data},
                                                                 {topics_.receipts, &token.receipts},
                                                                 {topics_.send_to_device, &token.send_to_device}};
  for (const auto& [tail, position] : topics) {
    if (tail->followed().covers(*position)) continue;
    // Another host that gave the token may know more of the log than is known here.
    if (!tail->head().covers(*position)) {
      BACKPLANE_TRY(head, tail->ask_head(until));
      if (!head.covers(*position)) {
        if (is_silent(head, *position)) return behind();
        return false;
      }
    }
    if (!tail->wait_for(*position, until)) return behind();
  }
  return true;
}

bool ReadModel::typing_reached(const log::Positions& typing) const { return topics_.typing->head().covers(typing); }

const RoomTyping* ReadModel::find_typing(const RoomId& room) const {
  if (typing_.empty()) return nullptr;
  const auto it = typing_.find(room);
  return it == typing_.end() ? nullptr : &it->second;
}

bool ReadModel::nothing_after(const UserPtr& user, const SyncToken& since) const {
  const Lock lock(*this);
  return since.covers(user->relevant);
}

UserView ReadModel::view(const UserPtr& user, const DevicePtr& device, const SyncToken* since, bool full_state,
                         bool left) const {
  UserView view;
  const Lock lock(*this);
  view.now = followed();

  std::map<RoomId, std::vector<AccountDataView>> of_rooms;
  const auto joined_now = [&](const UserRoom& room) {
    return since != nullptr && room.joined_since > since->room_events.of(room.room->lane);
  };
  const bool look_at_account_data =
      since == nullptr || full_state || !since->client_data.covers(user->relevant.client_data) ||
      std::any_of(user->rooms.begin(), user->rooms.end(), [&](const auto& entry) { return joined_now(entry.second); });
  if (look_at_account_data) {
    for (const auto& [key, data] : user->account_data) {
      const bool news = since == nullptr || !since->client_data.covers(data.position);
      if (key.first.empty()) {
        if (news) view.account_data.push_back({key.second, data.content});
        continue;
      }
      const auto room = user->rooms.find(key.first);
      if (news || full_state || (room != user->rooms.end() && joined_now(room->second))) {
        of_rooms[key.first].push_back({key.second, data.content});
      }
    }
  }

  for (const auto& [id, membership] : user->rooms) {
    const Room& room = *membership.room;
    // Spec: Leaving rooms, forgotten ones "will never appear in the response to the /sync API, until the user re-joins,
    // is re-invited, or knocks": a ban is none of these.
    const Sequence begun = is_out(membership.membership) ? membership.out_since : membership.since;
    const auto forgotten = user->forgotten.find(id);
    if (forgotten != user->forgotten.end() && forgotten->second > begun) continue;
    if (const auto it = user->pending.find(id);
        it != user->pending.end() && it->second.position.sequence > membership.since) {
      continue;  // the room is not here any more, and there is news of it
    }
    const Sequence told = since == nullptr ? 0 : since->room_events.of(room.lane);
    RoomView entry{.room = membership.room,
                   .lane = room.lane,
                   .membership = membership.membership,
                   .since = membership.since,
                   .joined_since = membership.joined_since,
                   .left_at = membership.left_at,
                   .event_id = membership.event_id};
    if (forgotten != user->forgotten.end() && membership.membership != Membership::join &&
        forgotten->second > membership.left_at) {
      entry.joined_since = entry.left_at = 0;  // as if they had never been there
      entry.forgotten = forgotten->second;
    }
    bool wanted = false;
    if (membership.membership == Membership::join) {
      entry.has_events = since == nullptr || full_state || room.last_event > told;
      entry.has_receipts = room.last_receipt.sequence != 0 && (since == nullptr || membership.joined_since > told ||
                                                               !since->receipts.covers(room.last_receipt));
      if (const RoomTyping* typing = find_typing(id)) {
        const bool news = since == nullptr || membership.joined_since > told ? !typing->users.empty()
                                                                             : !since->typing.covers(typing->at);
        if (news) entry.typing = typing->users;
      }
      if (const auto it = of_rooms.find(id); it != of_rooms.end()) entry.account_data = std::move(it->second);
      wanted = entry.has_events || entry.has_receipts || entry.typing || !entry.account_data.empty();
    } else if (membership.membership == Membership::invite || membership.membership == Membership::knock) {
      wanted = since == nullptr || membership.since > told;
    } else {
      wanted = since == nullptr ? left : membership.since > told;
      entry.has_events = wanted;
    }
    if (wanted) view.rooms.push_back(std::move(entry));
  }
  for (const auto& [id, pending] : user->pending) {
    if (const auto it = user->rooms.find(id); it != user->rooms.end() && it->second.since > pending.position.sequence) {
      continue;
    }
    if (const auto it = user->forgotten.find(id);
        it != user->forgotten.end() && it->second > pending.position.sequence) {
      continue;
    }
    const bool gone = pending.membership == Membership::leave;
    if (since == nullptr ? gone && !left : since->room_events.covers(pending.position)) continue;
    view.pending.push_back({id, pending});
  }
  if (device != nullptr) {
    for (const DeviceStream::Message& message : device->messages) {
      if (since != nullptr && since->send_to_device.covers(message.position)) continue;
      if (!view.now.send_to_device.covers(message.position)) break;
      if (view.to_device.size() == messages_in_a_reply) break;
      view.to_device.push_back(message);
    }
    const bool more = !device->complete || (!device->messages.empty() && !view.to_device.empty() &&
                                            device->messages.back().position > view.to_device.back().position);
    if (more && !view.to_device.empty()) {
      // The token names the last message in this reply: the next one continues there.
      log::Positions upto = since == nullptr ? log::Positions() : since->send_to_device;
      upto.advance(view.to_device.back().position);
      view.now.send_to_device = std::move(upto);
    }
  }
  return view;
}

void ReadModel::acknowledge(const UserPtr& user, const DeviceId& device, const log::Positions& upto) {
  const Lock lock(*this);
  const auto it = user->devices.find(device);
  if (it == user->devices.end()) return;
  DeviceStream& stream = *it->second;
  const bool first = stream.acknowledged == log::Positions();
  stream.acknowledged.merge(upto);
  const auto kept = std::find_if(stream.messages.begin(), stream.messages.end(),
                                 [&](const DeviceStream::Message& m) { return !upto.covers(m.position); });
  const bool dropped = kept != stream.messages.begin();
  stream.messages.erase(stream.messages.begin(), kept);
  if (dropped || (first && upto != log::Positions())) acknowledged_.push_back({user->user, device, upto});
}

void ReadModel::remove_event(const RoomPtr& room, const EventId& event_id) {
  const Lock lock(*this);
  if (room->tail) room->tail->remove_event(event_id);
}

bool ReadModel::park(const UserPtr& user, const ParkedPtr& poll) {
  const auto since = SyncToken::decode(poll->since);
  const Lock lock(*this);
  if (closed_ || !since || !since->covers(user->relevant)) return false;
  // The stream may have been forgotten and made anew while the poll was looked at: it then hears of nothing.
  const auto it = users_.find(user->user);
  if (it == users_.end() || it->second != user) return false;
  poll->user = user;
  user->parked.push_back(poll);
  user->used = clock_.now();
  return true;
}

bool ReadModel::unpark(const ParkedPtr& poll) {
  const Lock lock(*this);
  return std::erase(poll->user->parked, poll) != 0;
}

std::vector<ParkedPtr> ReadModel::close() {
  const Lock lock(*this);
  closed_ = true;
  std::vector<ParkedPtr> polls;
  for (const auto& [id, user] : users_) {
    polls.insert(polls.end(), user->parked.begin(), user->parked.end());
    user->parked.clear();
  }
  return polls;
}

void ReadModel::forget_user(UserStream& user) {
  for (const auto& [id, membership] : user.rooms) {
    std::erase(membership.room->active, &user);
    // Held by the map and this user only: nobody else would miss it.
    if (!membership.room->tail && membership.room.use_count() == 2) rooms_.erase(id);
  }
}

void ReadModel::forget_all() {
  std::vector<ParkedPtr> polls;
  {
    const Lock lock(*this);
    for (const auto& [id, user] : users_) {
      polls.insert(polls.end(), user->parked.begin(), user->parked.end());
      user->parked.clear();
    }
    users_.clear();
    rooms_.clear();
    tail_bytes_ = 0;
    of_no_interest_ = {};
    read_epoch();  // perhaps this is why
    index_ready_ = false;
  }
  for (const ParkedPtr& poll : polls) poll->expired = true;
  if (!polls.empty() && wake_) wake_(std::move(polls));
}

void ReadModel::evict_tails() {
  std::vector<Room*> loaded;
  tail_bytes_ = 0;
  for (const auto& [id, room] : rooms_) {
    if (!room->tail) continue;
    loaded.push_back(room.get());
    tail_bytes_ += room->tail->bytes();
  }
  if (tail_bytes_ <= limits_.tail_bytes) return;
  std::sort(loaded.begin(), loaded.end(), [](const Room* a, const Room* b) { return a->used < b->used; });
  // Some more than needed, so that this is not done for every load.
  const std::size_t target = limits_.tail_bytes / 8 * 7;
  for (Room* room : loaded) {
    if (tail_bytes_ <= target) break;
    tail_bytes_ -= std::min(tail_bytes_, room->tail->bytes());
    room->tail.reset();
  }
  std::erase_if(rooms_, [](const auto& entry) { return !entry.second->tail && entry.second.use_count() == 1; });
}

void ReadModel::sweep() {
  std::vector<Acknowledged> acknowledged;
  {
    const Lock lock(*this);
    acknowledged.swap(acknowledged_);
    const Instant idle_since = clock_.now() - limits_.idle_session;
    std::erase_if(users_, [&](const auto& entry) {
      UserStream& user = *entry.second;
      if (!user.parked.empty() || user.used > idle_since) return false;
      forget_user(user);
      return true;
    });
    evict_tails();
    // No notification lasts longer (edu_server's typing_timeout).
    const Instant stale = clock_.now() - typing_kept;
    std::erase_if(typing_, [&](const auto& entry) { return entry.second.heard < stale; });
  }
  if (acknowledged.empty()) return;
  store_.submit(
      [acknowledged = std::move(acknowledged)](storage::Write& write) -> Result<void> {
        for (const Acknowledged& a : acknowledged) store::remove_to_device(write, a.user, a.device, a.upto);
        return {};
      },
      [this](Result<void> done) {
        if (!done) log_.warning("messages to devices were not deleted", {{"error", done.error().text}});
      });
}

ReadModel::Sizes ReadModel::sizes() const {
  const Lock lock(*this);
  Sizes sizes{.users = users_.size(), .rooms = rooms_.size(), .recent = recent_rooms_.size()};
  for (const auto& [id, room] : rooms_) {
    if (room->tail) ++sizes.tails, sizes.tail_bytes += room->tail->bytes();
  }
  for (const auto& [id, user] : users_) sizes.parked += user->parked.size();
  return sizes;
}

}  // namespace backplane::sync_api
