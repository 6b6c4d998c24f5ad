#include "store.h"

namespace backplane::room_server::tables {

void delete_room(Write& write, RoomNumber room) {
  write.execute("INSERT INTO deleted_rooms (room) VALUES (?)", {room});
  write.execute("DELETE FROM rooms WHERE room = ?", {room});
  write.execute("DELETE FROM aliases WHERE room = ?", {room});
  delete_purge(write, room);
}

std::vector<RoomNumber> list_deleted_rooms(Session& session) {
  return session.list<RoomNumber>("SELECT room FROM deleted_rooms ORDER BY room");
}

bool delete_rows(Write& write, RoomNumber room, std::int64_t limit) {
  const std::int64_t begin = event_key(room, 0), end = event_key(room + 1, 0);
  std::int64_t deleted = 0;
  deleted += write.execute(
      "DELETE FROM events WHERE event_key IN "
      "(SELECT event_key FROM events WHERE event_key >= ? AND event_key < ? LIMIT ?)",
      {begin, end, limit});
  deleted += write.execute(
      "DELETE FROM state_events WHERE event_key IN "
      "(SELECT event_key FROM state_events WHERE event_key >= ? AND event_key < ? LIMIT ?)",
      {begin, end, limit});
  deleted += write.execute(
      "DELETE FROM state_snapshots WHERE snapshot_key IN "
      "(SELECT snapshot_key FROM state_snapshots WHERE snapshot_key >= ? AND snapshot_key < ? LIMIT ?)",
      {begin, end, limit});
  deleted += write.execute(
      "DELETE FROM current_state WHERE room = ? AND (type, state_key) IN "
      "(SELECT type, state_key FROM current_state WHERE room = ? LIMIT ?)",
      {room, room, limit});
  deleted += write.execute(
      "DELETE FROM state_changes WHERE sequence IN (SELECT sequence FROM state_changes WHERE room = ? LIMIT ?)",
      {room, limit});
  if (deleted != 0) return true;
  // These have no index that begins with the room, or few rows of one.
  write.execute("DELETE FROM backward_extremities WHERE room = ?", {room});
  write.execute("DELETE FROM waiting_redactions WHERE room = ?", {room});
  write.execute("DELETE FROM waiting_events WHERE room = ?", {room});
  write.execute("DELETE FROM forgotten WHERE room = ?", {room});
  write.execute("DELETE FROM transactions WHERE event_key >= ? AND event_key < ?", {begin, end});
  write.execute("DELETE FROM deleted_rooms WHERE room = ?", {room});
  return false;
}

}  // namespace backplane::room_server::tables
