#include "store.h"

namespace backplane::room_server::tables {

void replace_forgotten(Write& write, const ForgottenRow& row) {
  write.execute(
      "INSERT INTO forgotten (user_id, room, ordinal, membership, log_lane, sequence) VALUES (?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (user_id, room) DO UPDATE SET ordinal = excluded.ordinal, membership = excluded.membership, "
      "log_lane = excluded.log_lane, sequence = excluded.sequence",
      {row.user, row.room.number, row.ordinal, row.membership, row.position.lane, row.position.sequence});
}

std::optional<ForgottenRow> find_forgotten(Session& session, const RoomRow& room, const UserId& user) {
  auto row = session.find<std::int64_t, std::string, std::uint16_t, std::uint64_t>(
      "SELECT ordinal, membership, log_lane, sequence FROM forgotten WHERE user_id = ? AND room = ?",
      {user, room.number});
  if (!row) return std::nullopt;
  auto& [ordinal, membership, lane, sequence] = *row;
  return ForgottenRow{user, room, ordinal, std::move(membership), {lane, sequence}};
}

std::vector<ForgottenRow> list_forgotten_by_sequence(Session& session, std::uint64_t after, std::uint64_t up_to,
                                                     std::size_t limit) {
  std::vector<ForgottenRow> rows;
  session.each<UserId, RoomNumber, RoomId, RoomVersionId, std::int64_t, std::string, std::uint16_t, std::uint64_t>(
      "SELECT f.user_id, f.room, r.room_id, r.version, f.ordinal, f.membership, f.log_lane, f.sequence "
      "FROM forgotten f JOIN rooms r ON r.room = f.room WHERE f.sequence > ? AND f.sequence <= ? "
      "ORDER BY f.sequence LIMIT ?",
      {after, up_to, limit},
      [&](UserId user, RoomNumber room, RoomId room_id, RoomVersionId version, std::int64_t ordinal,
          std::string membership, std::uint16_t lane, std::uint64_t sequence) {
        rows.push_back({std::move(user),
                        {room, std::move(room_id), std::move(version)},
                        ordinal,
                        std::move(membership),
                        {lane, sequence}});
      });
  return rows;
}

}  // namespace backplane::room_server::tables
