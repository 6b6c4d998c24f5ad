#include "store.h"

#include <algorithm>
#include <map>
#include <span>
#include <tuple>

#include "backplane/storage/rows.h"

namespace backplane::sync_api::store {
namespace {

using api::RoomEventKind;
using matrix::Membership;

using RoomIds = std::map<std::string_view, std::int64_t>;

storage::Parameter optional_text(std::string_view text) {
  return text.empty() ? storage::Parameter(nullptr) : storage::Parameter(text);
}

std::int64_t next_room_id(storage::Write& write) {
  return write.find<std::int64_t>("SELECT COALESCE(MAX(id), 0) + 1 FROM rooms").value_or(1);
}

std::int64_t room_id_of(storage::Write& write, const RoomId& room) {
  if (const auto id = write.find<std::int64_t>("SELECT id FROM rooms WHERE room = ?", {room})) return *id;
  const std::int64_t id = next_room_id(write);
  write.execute("INSERT INTO rooms (id, room) VALUES (?, ?)", {id, room});
  return id;
}

/// Looks up what `ids` has keys for, and gives numbers to those that have none yet.
void find_room_ids(storage::Write& write, RoomIds& ids) {
  constexpr std::size_t ids_per_statement = 16;
  // What is not needed of the last statement is NULL, which no room is.
  std::vector<storage::Parameter> wanted;
  for (const auto& [room, id] : ids) wanted.emplace_back(room);
  while (wanted.size() % ids_per_statement != 0) wanted.emplace_back(nullptr);
  for (std::span<const storage::Parameter> left(wanted); !left.empty(); left = left.subspan(ids_per_statement)) {
    write.each_span<std::int64_t, std::string>(
        "SELECT id, room FROM rooms WHERE room IN (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        left.first(ids_per_statement), [&](std::int64_t id, const std::string& room) { ids.at(room) = id; });
  }
  std::int64_t next = 0;
  for (auto& [room, id] : ids) {
    if (id != 0) continue;
    if (next == 0) next = next_room_id(write);
    id = next++;
  }
}

/// What a batch changes of the rooms' states. An interval that ends in the batch in which it began is inserted with its
/// end.
class StateRows {
 public:
  void add(storage::Write& write, std::int64_t room, const TimelineEntry& entry, RoomEventKind kind) {
    const api::StateChange& change = *entry.change;
    const auto [last, is_first] = last_.try_emplace({room, change.type, change.state_key}, none);
    if (last->second != none) rows_[last->second].to = static_cast<std::int64_t>(entry.sequence);
    else if (!is_first || kind != RoomEventKind::new_event || !change.old_event_id.empty())
      end_stored(write, room, change, entry.sequence);
    last->second = none;
    if (change.new_event_id.empty()) return;
    std::optional<std::int64_t> membership;
    if (change.type == "m.room.member" && entry.membership) {
      membership =
          static_cast<std::int64_t>(matrix::membership_from(entry.membership->after).value_or(Membership::leave));
    }
    last->second = rows_.size();
    rows_.push_back({room, &change, entry.sequence, open_end, membership});
  }

  void insert(storage::Write& write) {
    // A row that is there already is one that comes a second time; it may not know its end yet.
    storage::Rows rows(
        "INSERT INTO state (room, type, state_key, from_sequence, to_sequence, event_id, membership)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (room, type, state_key, from_sequence) DO UPDATE SET to_sequence ="
        " CASE WHEN excluded.to_sequence < state.to_sequence THEN excluded.to_sequence ELSE state.to_sequence END");
    for (const Row& row : rows_) {
      rows.add({row.room, row.change->type, row.change->state_key, row.from, row.to, row.change->new_event_id,
                row.membership});
    }
    rows.insert(write);
  }

 private:
  struct Row {
    std::int64_t room;
    const api::StateChange* change;  ///< of an entry of the batch
    Sequence from;
    std::int64_t to;
    std::optional<std::int64_t> membership;
  };
  static constexpr std::size_t none = SIZE_MAX;

  static void end_stored(storage::Write& write, std::int64_t room, const api::StateChange& change, Sequence at) {
    write.execute(
        "UPDATE state SET to_sequence = ? WHERE room = ? AND type = ? AND state_key = ? AND to_sequence = ?"
        " AND from_sequence < ?",
        {at, room, change.type, change.state_key, open_end, at});
  }

  std::vector<Row> rows_;
  std::map<std::tuple<std::int64_t, std::string_view, std::string_view>, std::size_t> last_;  ///< in rows_, or none
};

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
  // That they have left is what clients hear of it.
  write.execute("DELETE FROM state WHERE room = ? AND (type <> 'm.room.member' OR to_sequence <> ? OR membership <> ?)",
                {*id, open_end, static_cast<int>(Membership::leave)});
  write.execute("DELETE FROM receipts WHERE room = ?", {*id});
}

}  // namespace

void RoomIndexer::begin() { added_.clear(); }

void RoomIndexer::add(storage::Write& write, const RoomRecordPtr& record) {
  const auto& data = record->data;
  switch (data.kind) {
    case RoomEventKind::invite: return set_pending(write, *record, Membership::invite);
    case RoomEventKind::knock: return set_pending(write, *record, Membership::knock);
    case RoomEventKind::retired: return set_pending(write, *record, Membership::leave);
    case RoomEventKind::redacted: return;  // the body is room_server's
    case RoomEventKind::purged: this->write(write); return remove_events(write, {data.event_id});
    case RoomEventKind::room_deleted: this->write(write); return delete_room(write, data.room_id);
    case RoomEventKind::forgotten:
      if (!data.membership) return;
      write.execute(
          "INSERT INTO forgotten (user_id, room, sequence) VALUES (?, ?, ?)"
          " ON CONFLICT (user_id, room) DO UPDATE SET sequence = excluded.sequence",
          {data.membership->user, data.room_id, record->position.sequence});
      return;
    default: break;
  }
  if (EntryPtr entry = make_entry(data, record->position, nullptr)) added_.push_back({record, std::move(entry)});
}

void RoomIndexer::write(storage::Write& write) {
  if (added_.empty()) return;
  RoomIds ids;
  for (const Added& added : added_) ids.try_emplace(added.record->data.room_id.view(), 0);
  find_room_ids(write, ids);
  storage::Rows timeline(
      "INSERT INTO timeline (room, sequence, topological, kind, event_id, type, state_key, sender, visibility, device,"
      " transaction_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (room, sequence) DO NOTHING");
  StateRows states;
  std::map<std::int64_t, const Added*> last;
  std::vector<const Added*> history;
  for (const Added& added : added_) {
    const TimelineEntry& entry = *added.entry;
    const std::int64_t room = ids.at(added.record->data.room_id.view());
    timeline.add({room, entry.sequence, entry.topological, static_cast<int>(entry.kind), entry.event_id, entry.type,
                  entry.state_key, entry.sender, static_cast<int>(entry.visibility), optional_text(entry.device.view()),
                  optional_text(entry.transaction_id.view())});
    if (entry.kind == EntryKind::history) history.push_back(&added);
    if (entry.change) states.add(write, room, entry, added.record->data.kind);
    last[room] = &added;
  }
  storage::Rows rooms(
      "INSERT INTO rooms (id, room, lane, last_sequence) VALUES (?, ?, ?, ?)"
      " ON CONFLICT (id) DO UPDATE SET lane = excluded.lane, last_sequence = excluded.last_sequence");
  for (const auto& [room, added] : last) {
    const RoomRecord& record = *added->record;
    rooms.add({room, record.data.room_id, record.position.lane, record.position.sequence});
  }
  rooms.insert(write);
  timeline.insert(write);
  std::ranges::sort(history, [](const Added* a, const Added* b) {
    return std::pair(b->entry->topological, a->entry->sequence) < std::pair(a->entry->topological, b->entry->sequence);
  });
  for (const Added* added : history) place_history(write, ids.at(added->record->data.room_id.view()), *added->entry);
  states.insert(write);
  added_.clear();
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
