#include "store.h"

namespace backplane::room_server::tables {

void insert_waiting_event(Write& write, RoomNumber room, const WaitingEventRow& event) {
  write.execute(
      "INSERT INTO waiting_events (room, event_id, origin, received_ms, attempts, next_attempt_ms, json) "
      "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (room, event_id) DO NOTHING",
      {room, event.event_id, event.origin, event.received_ms, event.attempts, event.next_attempt_ms, event.json});
}

void postpone_waiting_event(Write& write, RoomNumber room, const WaitingEventRow& event) {
  write.execute("UPDATE waiting_events SET attempts = ?, next_attempt_ms = ? WHERE room = ? AND event_id = ?",
                {event.attempts, event.next_attempt_ms, room, event.event_id});
}

void delete_waiting_events(Write& write, RoomNumber room, std::span<const EventId> event_ids) {
  for (const EventId& event_id : event_ids)
    write.execute("DELETE FROM waiting_events WHERE room = ? AND event_id = ?", {room, event_id});
}

std::vector<WaitingEventRow> list_waiting_events(Session& session, RoomNumber room, std::int64_t now_ms,
                                                 std::size_t limit) {
  std::vector<WaitingEventRow> events;
  session.each<EventId, ServerName, std::int64_t, std::int64_t, std::int64_t, std::string>(
      "SELECT event_id, origin, received_ms, attempts, next_attempt_ms, json FROM waiting_events "
      "WHERE room = ? AND next_attempt_ms <= ? ORDER BY received_ms, event_id LIMIT ?",
      {room, now_ms, limit},
      [&](EventId event_id, ServerName origin, std::int64_t received_ms, std::int64_t attempts,
          std::int64_t next_attempt_ms, std::string json) {
        events.push_back(
            {std::move(event_id), std::move(origin), received_ms, attempts, next_attempt_ms, std::move(json)});
      });
  return events;
}

std::int64_t count_waiting_events(Session& session, RoomNumber room) {
  return *session.find<std::int64_t>("SELECT COUNT(*) FROM waiting_events WHERE room = ?", {room});
}

std::int64_t count_waiting_events(Session& session, RoomNumber room, const ServerName& origin) {
  return *session.find<std::int64_t>("SELECT COUNT(*) FROM waiting_events WHERE room = ? AND origin = ?",
                                     {room, origin});
}

std::vector<RoomId> list_rooms_that_wait(Session& session, std::int64_t now_ms) {
  return session.list<RoomId>(
      "SELECT room_id FROM rooms WHERE room IN (SELECT room FROM waiting_events WHERE next_attempt_ms <= ?) "
      "ORDER BY room",
      {now_ms});
}

}  // namespace backplane::room_server::tables
