// The durable index: which events each room has and in which order, its state and memberships as intervals of
// positions, and what clients get besides rooms. No bodies: those are room_server's.
//
// Functions run inside the work of a storage::Store: reads in a read transaction, writes in a consumer's or in
// write(). They throw storage::Failure (the Store turns it into an Error).
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/api/room_server.h"
#include "backplane/storage/store.h"
#include "tail/records.h"
#include "timeline_entry.h"
#include "visibility.h"

namespace backplane::sync_api::store {

/// `to_sequence` of what holds now.
inline constexpr std::int64_t open_end = std::numeric_limits<std::int64_t>::max();

struct RoomRow {
  std::int64_t id = 0;
  std::uint16_t lane = 0;
  Sequence last_sequence = 0;  ///< every record of the room up to here is in the index
  std::uint16_t receipt_lane = 0;
  Sequence last_receipt = 0;
};

// ---- rooms (store/index_room.cc and place_history.cc write, store/read_room.cc reads)

/// Gathers what a batch of records changes, so that it is written in few statements. One thread.
class RoomIndexer {
 public:
  void begin();
  void add(storage::Write& write, const RoomRecordPtr& record);
  void write(storage::Write& write);

 private:
  struct Added {
    RoomRecordPtr record;
    EntryPtr entry;
  };
  std::vector<Added> added_;
};
/// Finds out when history that is in the timeline happened. A batch's deepest goes first, at one depth the earliest.
void place_history(storage::Write& write, std::int64_t room, const TimelineEntry& entry);
void reset_rooms(storage::Write& write);
/// Rows whose bodies are gone.
void remove_events(storage::Write& write, const std::vector<EventId>& event_ids);

std::optional<RoomRow> find_room(storage::Session& session, const RoomId& room);
/// Timeline entries at positions in (after, upto], newest first.
std::vector<EntryPtr> timeline_back(storage::Session& session, const RoomRow& room, Sequence after, Sequence upto,
                                    std::size_t limit);
/// The entries' `change` and `membership`, which the timeline does not hold.
EntryPtr with_change(storage::Session& session, const RoomRow& room, const EntryPtr& entry);
/// The state after the record at that position. `type`: only of that type.
std::vector<StateItem> state_at(storage::Session& session, const RoomRow& room, Sequence at,
                                std::optional<std::string_view> type = {});
/// What the state is at `upto` where that began after `after`.
std::vector<StateItem> state_changes(storage::Session& session, const RoomRow& room, Sequence after, Sequence upto);
std::optional<StateItem> find_state(storage::Session& session, const RoomRow& room, std::string_view type,
                                    std::string_view state_key, Sequence at);
MembershipHistory membership_history(storage::Session& session, const RoomRow& room, const UserId& user);

/// Where an event is.
struct Located {
  RoomId room_id;
  RoomRow room;
  EntryPtr entry;
};
std::optional<Located> find_event(storage::Session& session, const EventId& event_id);
/// Entries of /messages beyond `from`, in its order.
std::vector<EntryPtr> page(storage::Session& session, const RoomRow& room, const PageToken& from, bool backwards,
                           std::size_t limit);

// ---- receipts

struct Receipt {
  std::string user;
  std::string type;
  std::string thread;
  EventId event_id;
  std::int64_t ts = 0;
  log::Position position;
};
void index_receipt(storage::Write& write, const ReceiptRecord& record);
void reset_receipts(storage::Write& write);
std::vector<Receipt> receipts(storage::Session& session, const RoomRow& room);

// ---- users

/// A user's current membership of a room.
struct UserRoomRow {
  RoomId room_id;
  RoomRow room;
  matrix::Membership membership = matrix::Membership::leave;
  Sequence since = 0;
  Sequence joined_since = 0;  ///< where the stay in the room began that lasts (or that ended last)
  Sequence left_at = 0;       ///< where the last stay that ended did
  Sequence out_since = 0;     ///< out of the room, left or banned, where that began
  EventId event_id;
};
/// An invite or knock to a room that is not here, or the end of one (`leave`).
struct PendingRow {
  RoomId room_id;
  log::Position position;
  matrix::Membership membership = matrix::Membership::leave;
  EventId event_id;
  std::string stripped;
};
struct AccountDataRow {
  RoomId room_id;
  std::string type;
  log::Position position;
  std::string content;
};
struct UserRows {
  std::vector<UserRoomRow> rooms;
  std::vector<PendingRow> pending;
  std::map<RoomId, Sequence> forgotten;
  std::vector<AccountDataRow> account_data;
};
UserRows load_user(storage::Session& session, const UserId& user);
std::optional<Sequence> forgotten_at(storage::Session& session, const UserId& user, const RoomId& room);

void index_client_data(storage::Write& write, const ClientDataRecord& record);
void reset_client_data(storage::Write& write);

// ---- messages to devices

struct ToDeviceRow {
  log::Position position;
  std::string body;
};
std::string to_device_body(const api::SendToDeviceRecord& record);
void index_to_device(storage::Write& write, const ToDeviceRecord& record);
void reset_to_device(storage::Write& write);
std::vector<ToDeviceRow> to_device(storage::Session& session, const UserId& user, const DeviceId& device,
                                   const log::Positions& after, std::size_t limit);
/// The device has these and all before them.
void remove_to_device(storage::Write& write, const UserId& user, const DeviceId& device, const log::Positions& upto);

// ---- filters

std::optional<std::string> find_filter(storage::Session& session, const UserId& user, std::string_view id);
void insert_filter(storage::Write& write, const UserId& user, std::string_view id, std::string_view body);

}  // namespace backplane::sync_api::store
