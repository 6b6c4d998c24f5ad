// The part of the read model that is in memory: all records above the durable index, a tail for each active room, a
// stream for each user with an active session. It is fed by the tail subscriptions, completed from the index when
// something is asked for the first time, and forgets what is not used.
//
// One mutex, held for short looks (microseconds), never while something waits: loads read the database first and
// merge what came meanwhile under the mutex. Any thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "backplane/base/logger.h"
#include "backplane/log/log.h"
#include "events/event_cache.h"
#include "tail/recent.h"
#include "tail/user_stream.h"

namespace backplane::sync_api {

/// The subscriptions, made in wire().
struct Subscriptions {
  log::Tail* room_events = nullptr;
  log::Tail* client_data = nullptr;
  log::Tail* receipts = nullptr;
  log::Tail* send_to_device = nullptr;
  log::Tail* typing = nullptr;
  log::Consumer* indexed_rooms = nullptr;
  log::Consumer* indexed_client_data = nullptr;
  log::Consumer* indexed_receipts = nullptr;
  log::Consumer* indexed_to_device = nullptr;
};

struct AccountDataView {
  std::string type;
  Text content;
};
/// A room as it concerns one answer.
struct RoomView {
  RoomPtr room;  ///< only `id` may be read without the model
  std::uint16_t lane = 0;
  matrix::Membership membership = matrix::Membership::leave;
  Sequence since = 0;
  Sequence joined_since = 0;
  Sequence left_at = 0;
  Sequence forgotten = 0;  ///< of one who is not joined: nothing up to there is shown
  EventId event_id;
  bool has_events = false;
  bool has_receipts = false;
  std::optional<std::vector<UserId>> typing{};  ///< when it changed
  std::vector<AccountDataView> account_data{};
};
struct PendingView {
  RoomId room_id;
  PendingRoom pending;
};
/// What concerns a user after a token, as of one moment.
struct UserView {
  SyncToken now;
  std::vector<RoomView> rooms;
  std::vector<PendingView> pending;
  std::vector<AccountDataView> account_data;
  std::vector<DeviceStream::Message> to_device;
};

/// Up to where a reader wants the log followed.
enum class Follow : std::uint8_t {
  what_is_known,      ///< to this host: enough for who waits for news anyway
  what_is_committed,  ///< anywhere, for who may have written it a moment ago at another host
};

class ReadModel {
 public:
  struct Limits {
    std::size_t tail_entries = 100;
    std::size_t tail_bytes = 64 * 1024 * 1024;
    Duration idle_session = std::chrono::minutes(10);
  };
  /// Parked polls that have something to look at.
  using Wake = std::function<void(std::vector<std::shared_ptr<ParkedSync>>)>;

  ReadModel(storage::Store& store, EventCache& events, Clock& clock, Logger logger, Limits limits);
  /// Before start.
  void connect(const Subscriptions& subscriptions) { topics_ = subscriptions; }
  void set_wake(Wake wake) { wake_ = std::move(wake); }

  // ---- fed by the tails, in order

  void apply_rooms(const log::Batch& batch);
  void apply_client_data(const log::Batch& batch);
  void apply_receipts(const log::Batch& batch);
  void apply_to_device(const log::Batch& batch);
  void apply_typing(const log::Batch& batch);
  /// The index begins again: nothing that was read from it counts.
  void forget_all();

  // ---- for the index: records that were parsed already, and messages that their device has

  RoomRecordPtr recent_room(log::Position position) const;
  ParsedPtr<api::ClientDataRecord> recent_client_data(log::Position position) const;
  ParsedPtr<api::ReceiptRecord> recent_receipt(log::Position position) const;
  ParsedPtr<api::SendToDeviceRecord> recent_to_device(log::Position position) const;
  bool is_acknowledged(const ToDeviceRecord& record) const;

  // ---- for readers

  /// Waits until everything up to now has been followed; at most until the instant.
  void follow(Instant until, Follow how);
  /// What has been followed.
  SyncToken now() const;
  /// Whether the log has ever come this far (typing apart); when it has, it has been followed that far, too. Errors:
  /// unavailable, timeout when that cannot be told by the instant.
  Result<bool> reached(const SyncToken& token, Instant until);
  bool typing_reached(const log::Positions& typing) const;
  /// A short digest of the epochs of the producers' logs. Waits until all of them are known, at most until the instant.
  /// Errors: unavailable.
  Result<std::string> epoch(Instant until);

  Result<UserPtr> user(const Access& access, const UserId& user);
  Result<DevicePtr> device(const Access& access, const UserPtr& user, const DeviceId& device);
  Result<std::shared_ptr<RoomTail>> tail(const Access& access, const RoomPtr& room);
  /// Whether nothing after the token concerns the user: the short answer to most polls.
  bool nothing_after(const UserPtr& user, const SyncToken& since) const;
  /// What concerns the user after `since` (nullptr: everything). `left`: also rooms left long ago.
  UserView view(const UserPtr& user, const DevicePtr& device, const SyncToken* since, bool full_state, bool left) const;
  /// Waits until the index holds all of the room that was followed, so that the database can be asked.
  Result<void> index_room(const Access& access, const RoomId& room);
  /// The device returned a token: it has the messages up to there.
  void acknowledge(const UserPtr& user, const DeviceId& device, const log::Positions& upto);
  void remove_event(const RoomPtr& room, const EventId& event_id);

  // ---- parked polls

  /// Keeps the poll, unless something concerns the user since its token: then false.
  bool park(const UserPtr& user, const std::shared_ptr<ParkedSync>& poll);
  /// Takes a poll out; false when it is not there (somebody is answering it).
  bool unpark(const std::shared_ptr<ParkedSync>& poll);
  /// Takes all out, and keeps none from now on.
  std::vector<std::shared_ptr<ParkedSync>> close();

  /// Forgets what nobody used for a while, and deletes messages that their devices have. On a timer.
  void sweep();

  struct Sizes {
    std::size_t users = 0, rooms = 0, tails = 0, tail_bytes = 0, parked = 0, recent = 0;
  };
  Sizes sizes() const;

 private:
  class Lock;
  struct Woken;
  struct Acknowledged {
    UserId user;
    DeviceId device;
    log::Positions upto;
  };

  log::Positions keep_pace_with_index();
  void apply_room(const RoomRecordPtr& record, const EventPtr& event, Woken& woken);
  void apply_membership(const RoomRecordPtr& record, Woken& woken);
  void apply_membership_to(UserStream& user, const RoomRecord& record);
  void apply_account_data(UserStream& user, const ClientDataRecord& record) const;
  RoomPtr room_for(const RoomId& id, const store::RoomRow* row);
  void set_active(UserStream& user, const UserRoom& membership);
  void finish(Woken& woken, std::unique_lock<std::mutex>& lock);
  SyncToken followed() const;
  void read_epoch();
  Result<void> wait_for_index(const Access& access);
  UserPtr merge_user(const UserId& user, store::UserRows rows);
  void forget_user(UserStream& user);
  void evict_tails();
  const RoomTyping* find_typing(const RoomId& room) const;

  storage::Store& store_;
  EventCache& events_;
  Clock& clock_;
  Logger log_;
  const Limits limits_;
  Subscriptions topics_;
  Wake wake_;

  mutable std::mutex mutex_;
  SyncToken applied_;              // what the tails have brought; see followed()
  log::Positions of_no_interest_;  // what was loaded since was read from an index that had these
  RecentRooms recent_rooms_;
  Recent<api::ClientDataRecord> recent_client_data_;
  Recent<api::ReceiptRecord> recent_receipts_;
  Recent<api::SendToDeviceRecord> recent_to_device_;
  std::unordered_map<RoomId, RoomPtr> rooms_;
  std::unordered_map<RoomId, RoomTyping> typing_;  // also of rooms that nobody active is in: who comes is told
  std::unordered_map<UserId, UserPtr> users_;
  std::vector<Acknowledged> acknowledged_;
  std::string epoch_;
  std::uint64_t uses_ = 0;
  std::uint64_t generation_ = 0;  // counts forget_all
  std::size_t loading_ = 0;       // while a load reads the index, records stay
  std::size_t tail_bytes_ = 0;    // about
  bool closed_ = false;
  bool index_ready_ = false;
};

}  // namespace backplane::sync_api
