#include <algorithm>
#include <limits>

#include "store.h"

namespace backplane::room_server::tables {
namespace {

/// What has no place in the order of the others, and is no state event: the index events_low.
#define BACKPLANE_LOW_MESSAGES \
  "events WHERE event_key / 4294967296 = ? AND state_key IS NULL AND event_key % 4294967296 < 2147483648"

}  // namespace

void replace_purge(Write& write, const PurgeRow& purge) {
  write.execute(
      "INSERT INTO purges (room, up_to, done, received_before) VALUES (?, ?, ?, ?) ON CONFLICT (room) DO UPDATE SET "
      "up_to = excluded.up_to, done = excluded.done, received_before = excluded.received_before",
      {purge.room, purge.up_to, purge.done, purge.received_before});
}

bool insert_purge(Write& write, const PurgeRow& purge) {
  return write.execute(
             "INSERT INTO purges (room, up_to, done, received_before) VALUES (?, ?, ?, ?) "
             "ON CONFLICT (room) DO NOTHING",
             {purge.room, purge.up_to, purge.done, purge.received_before}) != 0;
}

void delete_purge(Write& write, RoomNumber room) { write.execute("DELETE FROM purges WHERE room = ?", {room}); }

std::optional<PurgeRow> find_purge(Session& session, RoomNumber room) {
  const auto row = session.find<std::int64_t, std::int64_t, std::int64_t>(
      "SELECT up_to, done, received_before FROM purges WHERE room = ?", {room});
  if (!row) return std::nullopt;
  return PurgeRow{room, std::get<0>(*row), std::get<1>(*row), std::get<2>(*row)};
}

std::vector<PurgeRow> list_purges(Session& session) {
  std::vector<PurgeRow> purges;
  session.each<RoomNumber, std::int64_t, std::int64_t, std::int64_t>(
      "SELECT room, up_to, done, received_before FROM purges ORDER BY room", {},
      [&](RoomNumber room, std::int64_t up_to, std::int64_t done, std::int64_t received_before) {
        purges.push_back({room, up_to, done, received_before});
      });
  return purges;
}

std::int64_t count_purges(Session& session) {
  return session.find<std::int64_t>("SELECT COUNT(*) FROM purges").value_or(0);
}

std::vector<PurgedEvent> list_purged_events(Session& session, const PurgeRow& purge, std::int64_t depth,
                                            std::size_t limit) {
  std::vector<PurgedEvent> events;
  const auto add = [&](std::int64_t key, EventId event_id, std::int64_t event_depth, int status) {
    events.push_back({key, std::move(event_id), event_depth, is_published(static_cast<EventStatus>(status))});
  };
  const bool by_time = purge.received_before != 0;
  session.each<std::int64_t, EventId, std::int64_t, int>(
      "SELECT event_key, event_id, depth, status FROM " BACKPLANE_LOW_MESSAGES
      " AND (received_ms < ? OR depth < ?) LIMIT ?",
      {purge.room, purge.received_before, by_time ? std::numeric_limits<std::int64_t>::min() : depth, limit}, add);
  session.each<std::int64_t, EventId, std::int64_t, int>(
      "SELECT event_key, event_id, depth, status FROM events WHERE event_key > ? AND event_key < ? AND state_key IS "
      "NULL "
      "ORDER BY event_key LIMIT ?",
      {std::max(purge.done, event_key(purge.room, first_ordinal) - 1), event_key(purge.room, purge.up_to),
       limit - events.size()},
      add);
  return events;
}

void delete_events(Write& write, RoomNumber room, std::span<const PurgedEvent> events) {
  for (const PurgedEvent& event : events) write.execute("DELETE FROM events WHERE event_key = ?", {event.key});
  // Few rooms have any.
  write.execute(
      "DELETE FROM waiting_redactions WHERE room = ? AND NOT EXISTS "
      "(SELECT 1 FROM events e WHERE e.event_key = waiting_redactions.room * 4294967296 + waiting_redactions.ordinal)",
      {room});
  write.execute(
      "DELETE FROM backward_extremities WHERE room = ? AND NOT EXISTS (SELECT 1 FROM events e "
      "WHERE e.event_key = backward_extremities.room * 4294967296 + backward_extremities.followed_by)",
      {room});
}

std::vector<MessagesRow> list_messages_rows(Session& session, RoomNumber after, std::size_t limit) {
  std::vector<MessagesRow> rows;
  session.each<RoomNumber, RoomId, RoomVersionId, std::int64_t>(
      "SELECT room, room_id, version, messages_from FROM rooms WHERE room > ? ORDER BY room LIMIT ?", {after, limit},
      [&](RoomNumber room, RoomId room_id, RoomVersionId version, std::int64_t from) {
        rows.push_back({{room, std::move(room_id), std::move(version)}, std::max(from, first_ordinal)});
      });
  return rows;
}

std::int64_t messages_from(Session& session, RoomNumber room) {
  return std::max(
      session.find<std::int64_t>("SELECT messages_from FROM rooms WHERE room = ?", {room}).value_or(first_ordinal),
      first_ordinal);
}

void move_messages_from(Write& write, RoomNumber room, std::int64_t ordinal) {
  write.execute("UPDATE rooms SET messages_from = ? WHERE room = ? AND messages_from < ?", {ordinal, room, ordinal});
}

std::optional<MessageTime> find_message_from(Session& session, RoomNumber room, std::int64_t ordinal) {
  const auto found = session.find<std::int64_t, std::int64_t>(
      "SELECT event_key, received_ms FROM events WHERE event_key >= ? AND event_key < ? AND state_key IS NULL "
      "ORDER BY event_key LIMIT 1",
      {event_key(room, ordinal), event_key(room + 1, 0)});
  if (!found) return std::nullopt;
  return MessageTime{ordinal_of_key(std::get<0>(*found)), std::get<1>(*found)};
}

std::vector<std::int64_t> list_low_messages_before(Session& session, RoomNumber room, std::int64_t received_ms,
                                                   std::size_t limit) {
  std::vector<std::int64_t> ordinals;
  session.each<std::int64_t>(
      "SELECT event_key FROM " BACKPLANE_LOW_MESSAGES " AND received_ms < ? ORDER BY received_ms LIMIT ?",
      {room, received_ms, limit}, [&](std::int64_t key) { ordinals.push_back(ordinal_of_key(key)); });
  return ordinals;
}

std::int64_t find_ordinal_at(Session& session, RoomNumber room, std::int64_t from, std::int64_t received_ms) {
  // Events came in the order of their ordinals.
  std::int64_t low = from, high = std::max(from, last_ordinal(session, room) + 1);
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    const auto found = session.find<std::int64_t, std::int64_t>(
        "SELECT event_key, received_ms FROM events WHERE event_key >= ? AND event_key < ? ORDER BY event_key LIMIT 1",
        {event_key(room, middle), event_key(room, high)});
    if (!found || std::get<1>(*found) >= received_ms) high = middle;
    else low = ordinal_of_key(std::get<0>(*found)) + 1;
  }
  return low;
}

std::int64_t last_ordinal(Session& session, RoomNumber room) {
  const auto key = session.find<std::int64_t>(
      "SELECT event_key FROM events WHERE event_key >= ? AND event_key < ? ORDER BY event_key DESC LIMIT 1",
      {event_key(room, first_ordinal), event_key(room + 1, 0)});
  return key ? ordinal_of_key(*key) : first_ordinal - 1;
}

}  // namespace backplane::room_server::tables
