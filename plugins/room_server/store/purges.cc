#include "backplane/base/json.h"
#include "store.h"

namespace backplane::room_server::tables {
namespace {

std::int64_t time_of(std::string_view event) {
  const auto raw = json::find_raw(event, "origin_server_ts");
  return raw ? std::strtoll(std::string(*raw).c_str(), nullptr, 10) : 0;
}

}  // namespace

void replace_purge(Write& write, const PurgeRow& purge) {
  write.execute(
      "INSERT INTO purges (room, up_to, done) VALUES (?, ?, ?) "
      "ON CONFLICT (room) DO UPDATE SET up_to = excluded.up_to, done = excluded.done",
      {purge.room, purge.up_to, purge.done});
}

void delete_purge(Write& write, RoomNumber room) { write.execute("DELETE FROM purges WHERE room = ?", {room}); }

std::vector<PurgeRow> list_purges(Session& session) {
  std::vector<PurgeRow> purges;
  session.each<RoomNumber, std::int64_t, std::int64_t>("SELECT room, up_to, done FROM purges ORDER BY room", {},
                                                       [&](RoomNumber room, std::int64_t up_to, std::int64_t done) {
                                                         purges.push_back({room, up_to, done});
                                                       });
  return purges;
}

std::vector<PurgedEvent> list_purged_events(Session& session, const PurgeRow& purge, std::int64_t depth,
                                            std::size_t limit) {
  std::vector<PurgedEvent> events;
  // What has no place in the order of the others is as old as it is deep.
  session.each<std::int64_t, EventId, std::int64_t, int>(
      "SELECT event_key, event_id, depth, status FROM events WHERE event_key > ? AND event_key < ? "
      "AND state_key IS NULL AND (event_key >= ? OR depth < ?) ORDER BY event_key LIMIT ?",
      {purge.done, event_key(purge.room, purge.up_to), event_key(purge.room, first_ordinal), depth, limit},
      [&](std::int64_t key, EventId event_id, std::int64_t event_depth, int status) {
        events.push_back({key, std::move(event_id), event_depth, is_published(static_cast<EventStatus>(status))});
      });
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

std::int64_t find_ordinal_at(Session& session, RoomNumber room, std::int64_t ts) {
  // Events came in the order of their ordinals, so their times grow, but for clocks that are wrong.
  const auto last = find_last_event(session, room);
  std::int64_t low = first_ordinal, high = last ? last->ordinal + 1 : first_ordinal;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    const auto found = session.find<std::int64_t, std::string>(
        "SELECT event_key, json FROM events WHERE event_key >= ? AND event_key < ? ORDER BY event_key LIMIT 1",
        {event_key(room, middle), event_key(room, high)});
    if (!found || time_of(std::get<1>(*found)) >= ts) high = middle;
    else low = ordinal_of_key(std::get<0>(*found)) + 1;
  }
  return low;
}

}  // namespace backplane::room_server::tables
