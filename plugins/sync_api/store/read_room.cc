#include "store.h"

namespace backplane::sync_api::store {
namespace {

using matrix::HistoryVisibility;
using matrix::Membership;

#define BACKPLANE_ENTRY_COLUMNS                                                                            \
  "t.sequence, t.topological, t.kind, t.event_id, t.type, t.state_key, t.sender, t.visibility, t.device, " \
  "t.transaction_id, t.earliest, t.latest"

/// Calls `use` with an entry for each row of a SELECT of BACKPLANE_ENTRY_COLUMNS.
template <class Use>
void each_entry(storage::Session& session, std::string_view sql, storage::Session::Parameters parameters, Use use) {
  session.each<Sequence, std::int64_t, std::int64_t, EventId, std::string, std::optional<std::string>, std::string,
               std::int64_t, std::optional<std::string>, std::optional<std::string>, std::optional<Sequence>,
               std::optional<Sequence>>(
      sql, parameters,
      [&](Sequence sequence, std::int64_t topological, std::int64_t kind, EventId event_id, std::string type,
          std::optional<std::string> state_key, std::string sender, std::int64_t visibility,
          std::optional<std::string> device, std::optional<std::string> transaction_id,
          std::optional<Sequence> earliest, std::optional<Sequence> latest) {
        auto entry = std::make_shared<TimelineEntry>();
        entry->sequence = sequence;
        entry->topological = topological;
        entry->kind = static_cast<EntryKind>(kind);
        entry->earliest = earliest.value_or(entry->kind == EntryKind::history ? 0 : sequence);
        entry->latest = latest.value_or(sequence);
        entry->visibility = static_cast<HistoryVisibility>(visibility);
        entry->event_id = std::move(event_id);
        entry->type = std::move(type);
        entry->state_key = std::move(state_key);
        entry->sender = std::move(sender);
        if (device) entry->device = DeviceId(std::move(*device));
        if (transaction_id) entry->transaction_id = TransactionId(std::move(*transaction_id));
        use(std::move(entry));
      });
}

Membership membership_of(const std::optional<std::int64_t>& stored) {
  return stored ? static_cast<Membership>(*stored) : Membership::leave;
}

template <class... Columns>
std::vector<StateItem> list_state(storage::Session& session, std::string_view sql,
                                  storage::Session::Parameters parameters) {
  std::vector<StateItem> items;
  session.each<std::string, std::string, EventId, Sequence, std::optional<std::int64_t>>(
      sql, parameters,
      [&](std::string type, std::string state_key, EventId event_id, Sequence since,
          std::optional<std::int64_t> membership) {
        items.push_back({std::move(type), std::move(state_key), std::move(event_id), since, membership_of(membership)});
      });
  return items;
}

std::string membership_text(const std::optional<std::int64_t>& stored) {
  return std::string(matrix::to_string(membership_of(stored)));
}

}  // namespace

std::optional<RoomRow> find_room(storage::Session& session, const RoomId& room) {
  std::optional<RoomRow> row;
  session.each<std::int64_t, std::uint16_t, Sequence, std::uint16_t, Sequence>(
      "SELECT id, lane, last_sequence, receipt_lane, last_receipt FROM rooms WHERE room = ?", {room},
      [&](std::int64_t id, std::uint16_t lane, Sequence last, std::uint16_t receipt_lane, Sequence last_receipt) {
        row = RoomRow{id, lane, last, receipt_lane, last_receipt};
        return false;
      });
  return row;
}

std::vector<EntryPtr> timeline_back(storage::Session& session, const RoomRow& room, Sequence after, Sequence upto,
                                    std::size_t limit) {
  std::vector<EntryPtr> entries;
  each_entry(session,
             "SELECT " BACKPLANE_ENTRY_COLUMNS
             " FROM timeline t WHERE t.room = ? AND t.sequence > ? AND t.sequence <= ?"
             " AND t.kind <> 1 ORDER BY t.sequence DESC LIMIT ?",
             {room.id, after, upto, limit}, [&](EntryPtr entry) { entries.push_back(std::move(entry)); });
  return entries;
}

EntryPtr with_change(storage::Session& session, const RoomRow& room, const EntryPtr& entry) {
  if (!entry->state_key || entry->kind == EntryKind::history) return entry;
  const auto begun = session.find<EventId, std::optional<std::int64_t>>(
      "SELECT event_id, membership FROM state WHERE room = ? AND type = ? AND state_key = ? AND from_sequence = ?",
      {room.id, entry->type, *entry->state_key, entry->sequence});
  const auto ended = session.find<EventId, std::optional<std::int64_t>>(
      "SELECT event_id, membership FROM state WHERE room = ? AND type = ? AND state_key = ? AND to_sequence = ?",
      {room.id, entry->type, *entry->state_key, entry->sequence});
  if (!begun && !ended) return entry;  // it did not become current state
  auto changed = std::make_shared<TimelineEntry>(*entry);
  changed->change = api::StateChange{entry->type, *entry->state_key, ended ? std::get<0>(*ended) : EventId(),
                                     begun ? std::get<0>(*begun) : EventId()};
  if (entry->type == "m.room.member") {
    changed->membership =
        api::MembershipChange{UserId(*entry->state_key), ended ? membership_text(std::get<1>(*ended)) : std::string(),
                              begun ? membership_text(std::get<1>(*begun)) : std::string("leave")};
  }
  return changed;
}

std::vector<StateItem> state_at(storage::Session& session, const RoomRow& room, Sequence at,
                                std::optional<std::string_view> type) {
  if (type) {
    return list_state(session,
                      "SELECT type, state_key, event_id, from_sequence, membership FROM state WHERE room = ?"
                      " AND type = ? AND from_sequence <= ? AND to_sequence > ?",
                      {room.id, *type, at, at});
  }
  return list_state(session,
                    "SELECT type, state_key, event_id, from_sequence, membership FROM state WHERE room = ?"
                    " AND from_sequence <= ? AND to_sequence > ?",
                    {room.id, at, at});
}

std::vector<StateItem> state_changes(storage::Session& session, const RoomRow& room, Sequence after, Sequence upto) {
  return list_state(session,
                    "SELECT type, state_key, event_id, from_sequence, membership FROM state WHERE room = ?"
                    " AND from_sequence > ? AND from_sequence <= ? AND to_sequence > ?",
                    {room.id, after, upto, upto});
}

std::optional<StateItem> find_state(storage::Session& session, const RoomRow& room, std::string_view type,
                                    std::string_view state_key, Sequence at) {
  auto items = list_state(session,
                          "SELECT type, state_key, event_id, from_sequence, membership FROM state WHERE room = ?"
                          " AND type = ? AND state_key = ? AND from_sequence <= ? AND to_sequence > ?",
                          {room.id, type, state_key, at, at});
  if (items.empty()) return std::nullopt;
  return std::move(items.front());
}

MembershipHistory membership_history(storage::Session& session, const RoomRow& room, const UserId& user) {
  MembershipHistory history;
  session.each<Sequence, std::optional<std::int64_t>>(
      "SELECT from_sequence, membership FROM state WHERE room = ? AND type = 'm.room.member' AND state_key = ?",
      {room.id, user},
      [&](Sequence from, std::optional<std::int64_t> membership) { history.add(from, membership_of(membership)); });
  return history;
}

std::optional<Located> find_event(storage::Session& session, const EventId& event_id) {
  std::optional<Located> located;
  const auto room = session.find<std::int64_t, RoomId, std::uint16_t, Sequence>(
      "SELECT r.id, r.room, r.lane, r.last_sequence FROM timeline t JOIN rooms r ON r.id = t.room"
      " WHERE t.event_id = ? AND t.kind <> 2",
      {event_id});
  if (!room) return located;
  each_entry(
      session, "SELECT " BACKPLANE_ENTRY_COLUMNS " FROM timeline t WHERE t.event_id = ? AND t.room = ? AND t.kind <> 2",
      {event_id, std::get<0>(*room)}, [&](EntryPtr entry) {
        located = Located{std::get<1>(*room), RoomRow{std::get<0>(*room), std::get<2>(*room), std::get<3>(*room), 0, 0},
                          std::move(entry)};
      });
  return located;
}

std::vector<EntryPtr> page(storage::Session& session, const RoomRow& room, const PageToken& from, bool backwards,
                           std::size_t limit) {
  std::vector<EntryPtr> entries;
  const auto use = [&](EntryPtr entry) { entries.push_back(std::move(entry)); };
  if (backwards) {
    each_entry(session,
               "SELECT " BACKPLANE_ENTRY_COLUMNS
               " FROM timeline t WHERE t.room = ? AND (t.topological, t.sequence) <="
               " (?, ?) AND (t.sequence < ? OR t.kind = 1) AND t.kind <> 2"
               " ORDER BY t.topological DESC, t.sequence DESC LIMIT ?",
               {room.id, from.topological, from.sequence, from.bound, limit}, use);
  } else {
    each_entry(session,
               "SELECT " BACKPLANE_ENTRY_COLUMNS
               " FROM timeline t WHERE t.room = ? AND (t.topological, t.sequence) >"
               " (?, ?) AND t.sequence >= ? AND t.kind <> 2"
               " ORDER BY t.topological, t.sequence LIMIT ?",
               {room.id, from.topological, from.sequence, from.bound, limit}, use);
  }
  return entries;
}

std::vector<Receipt> receipts(storage::Session& session, const RoomRow& room) {
  std::vector<Receipt> list;
  session.each<std::string, std::string, std::string, EventId, std::int64_t, std::uint16_t, Sequence>(
      "SELECT user_id, type, thread, event_id, ts, lane, sequence FROM receipts WHERE room = ?", {room.id},
      [&](std::string user, std::string type, std::string thread, EventId event_id, std::int64_t ts, std::uint16_t lane,
          Sequence sequence) {
        list.push_back(
            {std::move(user), std::move(type), std::move(thread), std::move(event_id), ts, {lane, sequence}});
      });
  return list;
}

}  // namespace backplane::sync_api::store
