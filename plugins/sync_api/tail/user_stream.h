// What the read model keeps of a user who has an active session: the rooms, the account data, the messages that wait
// for devices, and the polls that are parked. Guarded by the read model's mutex, but for what a pointer to const
// shares.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "backplane/base/clock.h"
#include "tail/room_tail.h"

namespace backplane::sync_api {

using Text = std::shared_ptr<const std::string>;
struct UserStream;
struct ParkedSync;

/// A room that some active user has to do with. The tail is there while the room is read.
struct Room {
  explicit Room(RoomId room_id) : id(std::move(room_id)) {}
  const RoomId id;
  std::uint16_t lane = 0;
  Sequence last_event = 0;  ///< of the latest record that /sync shows
  log::Position last_receipt;
  std::vector<UserStream*> active;  ///< streams of users who are joined
  std::shared_ptr<RoomTail> tail;
  std::uint64_t used = 0;  ///< when the tail was read last, in the model's counting
};
using RoomPtr = std::shared_ptr<Room>;

/// Who types in a room, since when that is so.
struct RoomTyping {
  std::vector<UserId> users;
  log::Position at;
  Instant heard{};
};

struct UserRoom {
  RoomPtr room;
  matrix::Membership membership = matrix::Membership::leave;
  Sequence since = 0;         ///< of that membership
  Sequence joined_since = 0;  ///< where the stay that lasts (or ended last) began
  Sequence left_at = 0;       ///< where the last stay that ended did
  Sequence out_since = 0;     ///< out of the room, left or banned, where that began
  EventId event_id;
};

struct PendingRoom {
  log::Position position;
  matrix::Membership membership = matrix::Membership::leave;
  EventId event_id;
  Text stripped;
};

struct AccountData {
  log::Position position;
  Text content;
};

/// Which membership events a session was sent (Client-Server API, "Lazy-loading room members"): by room and user, the
/// hash of the event id. Bounded: forgotten when it grows too large, which only repeats some events.
class LazyMembers {
 public:
  /// A poll from this token begins. One that was asked before did not reach the client: what it was sent is forgotten.
  void begin(std::string_view since);
  bool knows(const RoomId& room, std::string_view user, const EventId& event_id) const;
  void add(const RoomId& room, std::string_view user, const EventId& event_id);

 private:
  mutable std::mutex mutex_;
  std::unordered_map<RoomId, std::unordered_map<std::size_t, std::size_t>> sent_;
  std::size_t size_ = 0;
  std::string last_since_;
};

struct DeviceStream {
  struct Message {
    log::Position position;
    Text body;
  };
  bool loaded = false;
  bool complete = true;           ///< all that waits is in `messages`
  std::vector<Message> messages;  ///< in order of position
  log::Positions acknowledged;    ///< the device has returned a token that says so
  LazyMembers lazy;
};
using DevicePtr = std::shared_ptr<DeviceStream>;

struct UserStream {
  explicit UserStream(UserId user_id) : user(std::move(user_id)) {}
  const UserId user;
  std::map<RoomId, UserRoom> rooms;
  std::map<RoomId, PendingRoom> pending;
  std::map<RoomId, Sequence> forgotten;
  std::map<std::pair<RoomId, std::string>, AccountData> account_data;
  std::unordered_map<DeviceId, DevicePtr> devices;
  SyncToken relevant;  ///< the last position of each topic that concerns the user
  std::vector<std::shared_ptr<ParkedSync>> parked;
  Instant used{};
};
using UserPtr = std::shared_ptr<UserStream>;

}  // namespace backplane::sync_api
