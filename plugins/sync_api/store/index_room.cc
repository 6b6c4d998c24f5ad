#include "store.h"

namespace backplane::sync_api::store {
namespace {

using api::RoomEventKind;
using matrix::Membership;

std::int64_t room_id_of(storage::Write& write, const RoomId& room) {
  if (const auto id = write.find<std::int64_t>("SELECT id FROM rooms WHERE room = ?", {room})) return *id;
  const auto id = write.find<std::int64_t>("SELECT COALESCE(MAX(id), 0) + 1 FROM rooms").value_or(1);
  write.execute("INSERT INTO rooms (id, room) VALUES (?, ?)", {id, room});
  return id;
}

void insert_timeline(storage::Write& write, std::int64_t room, const TimelineEntry& entry) {
  const auto optional_text = [](std::string_view text) {
    return text.empty() ? storage::Parameter(nullptr) : storage::Parameter(text);
  };
  write.execute(
      "INSERT INTO timeline (room, sequence, topological, kind, event_id, type, state_key, sender, visibility, device,"
      " transaction_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (room, sequence) DO NOTHING",
      {room, entry.sequence, entry.topological, static_cast<int>(entry.kind), entry.event_id, entry.type,
       entry.state_key, entry.sender, static_cast<int>(entry.visibility), optional_text(entry.device.view()),
       optional_text(entry.transaction_id.view())});
}

void change_state(storage::Write& write, std::int64_t room, Sequence at, const api::StateChange& change,
                  const std::optional<api::MembershipChange>& membership) {
  write.execute(
      "UPDATE state SET to_sequence = ? WHERE room = ? AND type = ? AND state_key = ? AND to_sequence = ?"
      " AND from_sequence < ?",
      {at, room, change.type, change.state_key, open_end, at});
  if (change.new_event_id.empty()) return;
  std::optional<std::int64_t> value;
  if (change.type == "m.room.member" && membership) {
    value = static_cast<std::int64_t>(matrix::membership_from(membership->after).value_or(Membership::leave));
  }
  write.execute(
      "INSERT INTO state (room, type, state_key, from_sequence, to_sequence, event_id, membership)"
      " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (room, type, state_key, from_sequence) DO NOTHING",
      {room, change.type, change.state_key, at, open_end, change.new_event_id, value});
}

void set_pending(storage::Write& write, const RoomRecord& record, Membership membership) {
  if (!record.data.membership) return;
  write.execute(
      "INSERT INTO pending (user_id, room, lane, from_sequence, membership, event_id, stripped)"
      " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (user_id, room) DO UPDATE SET lane = excluded.lane,"
      " from_sequence = excluded.from_sequence, membership = excluded.membership, event_id = excluded.event_id,"
      " stripped = excluded.stripped",
      {record.data.membership->user, record.data.room_id, record.position.lane, record.position.sequence,
       static_cast<int>(membership), record.data.event_id, record.data.stripped_state.text});
}

void delete_room(storage::Write& write, const RoomId& room) {
  const auto id = write.find<std::int64_t>("SELECT id FROM rooms WHERE room = ?", {room});
  if (!id) return;
  write.execute("DELETE FROM timeline WHERE room = ?", {*id});
  write.execute("DELETE FROM state WHERE room = ?", {*id});
  write.execute("DELETE FROM receipts WHERE room = ?", {*id});
}

}  // namespace

void index_room_record(storage::Write& write, const RoomRecord& record) {
  const auto& data = record.data;
  switch (data.kind) {
    case RoomEventKind::invite: return set_pending(write, record, Membership::invite);
    case RoomEventKind::knock: return set_pending(write, record, Membership::knock);
    case RoomEventKind::retired: return set_pending(write, record, Membership::leave);
    case RoomEventKind::redacted: return;  // the body is room_server's
    case RoomEventKind::purged: return remove_events(write, {data.event_id});
    case RoomEventKind::room_deleted: return delete_room(write, data.room_id);
    case RoomEventKind::forgotten:
      if (!data.membership) return;
      write.execute(
          "INSERT INTO forgotten (user_id, room, sequence) VALUES (?, ?, ?)"
          " ON CONFLICT (user_id, room) DO UPDATE SET sequence = excluded.sequence",
          {data.membership->user, data.room_id, record.position.sequence});
      return;
    default: break;
  }
  const EntryPtr entry = make_entry(data, record.position, nullptr);
  if (entry == nullptr) return;
  const std::int64_t room = room_id_of(write, data.room_id);
  insert_timeline(write, room, *entry);
  if (entry->change) change_state(write, room, entry->sequence, *entry->change, entry->membership);
  write.execute("UPDATE rooms SET lane = ?, last_sequence = ? WHERE id = ?",
                {record.position.lane, record.position.sequence, room});
}

void reset_rooms(storage::Write& write) {
  for (const char* sql : {"DELETE FROM timeline", "DELETE FROM state", "DELETE FROM pending", "DELETE FROM forgotten",
                          "UPDATE rooms SET last_sequence = 0"}) {
    write.execute(sql);
  }
}

void remove_events(storage::Write& write, const std::vector<EventId>& event_ids) {
  for (const EventId& id : event_ids) write.execute("DELETE FROM timeline WHERE event_id = ? AND kind <> 2", {id});
}

void index_receipt(storage::Write& write, const ReceiptRecord& record) {
  const auto& r = record.data;
  const std::int64_t room = room_id_of(write, r.room_id);
  write.execute(
      "INSERT INTO receipts (room, user_id, type, thread, lane, sequence, event_id, ts)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (room, user_id, type, thread) DO UPDATE SET"
      " lane = excluded.lane, sequence = excluded.sequence, event_id = excluded.event_id, ts = excluded.ts",
      {room, r.user, r.receipt_type, r.thread_id, record.position.lane, record.position.sequence, r.event_id, r.ts});
  write.execute("UPDATE rooms SET receipt_lane = ?, last_receipt = ? WHERE id = ?",
                {record.position.lane, record.position.sequence, room});
}

void reset_receipts(storage::Write& write) {
  write.execute("DELETE FROM receipts");
  write.execute("UPDATE rooms SET last_receipt = 0");
}

}  // namespace backplane::sync_api::store
