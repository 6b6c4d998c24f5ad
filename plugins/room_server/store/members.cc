#include "store.h"

namespace backplane::room_server::tables {

std::optional<RoomOfUser> find_room_of_user(Session& session, const RoomId& room_id, const UserId& user) {
  std::optional<RoomOfUser> found;
  session.each<RoomNumber, RoomVersionId, std::string, std::optional<EventId>, std::int64_t, std::string,
               std::optional<std::int64_t>, std::optional<std::int64_t>, std::optional<std::string>>(
      "SELECT r.room, r.version, r.history_visibility, s.event_id, s.ordinal, s.membership, s.left_at, f.ordinal, "
      "f.membership "
      "FROM rooms r LEFT JOIN current_state s ON s.room = r.room AND s.type = 'm.room.member' AND s.state_key = ? "
      "LEFT JOIN forgotten f ON f.user_id = s.state_key AND f.room = s.room WHERE r.room_id = ?",
      {user, room_id},
      [&](RoomNumber number, RoomVersionId version, std::string history_visibility, std::optional<EventId> event_id,
          std::int64_t ordinal, std::string membership, std::optional<std::int64_t> left_at,
          std::optional<std::int64_t> forgotten_at, const std::optional<std::string>& forgotten_membership) {
        found = RoomOfUser{{number, room_id, std::move(version)}, std::move(history_visibility), std::nullopt};
        if (!event_id || event_id->empty()) return;
        MemberRow& member = found->member.emplace();
        member.event_id = std::move(*event_id);
        member.ordinal = ordinal;
        member.left_at = left_at;
        member.forgotten = forgotten_at == member.since() && forgotten_membership == membership;
        member.forgot_history = forgotten_at && left_at && *forgotten_at >= *left_at;
        member.membership = std::move(membership);
      });
  return found;
}

void each_joined_member(Session& session, RoomNumber room,
                        const std::function<void(UserId, std::string_view json)>& row) {
  session.each<UserId, std::string>(
      "SELECT s.state_key, e.json FROM current_state s JOIN events e ON e.event_key = s.room * 4294967296 + s.ordinal "
      "WHERE s.room = ? AND s.type = 'm.room.member' AND s.membership = 'join'",
      {room}, [&](UserId user, const std::string& json) { row(std::move(user), json); });
}

std::vector<RoomId> list_joined_rooms(Session& session, const UserId& user) {
  return session.list<RoomId>(
      "SELECT r.room_id FROM current_state s JOIN rooms r ON r.room = s.room "
      "WHERE s.type = 'm.room.member' AND s.state_key = ? AND s.membership = 'join'",
      {user});
}

bool is_joined(Session& session, const RoomId& room_id, const UserId& user) {
  return session
      .find<std::int64_t>(
          "SELECT 1 FROM rooms r JOIN current_state s ON s.room = r.room AND s.type = 'm.room.member' "
          "AND s.state_key = ? AND s.membership = 'join' WHERE r.room_id = ?",
          {user, room_id})
      .has_value();
}

bool is_joined(Session& session, RoomNumber room, const ServerName& server) {
  return session
      .find<std::int64_t>(
          "SELECT 1 FROM current_state WHERE room = ? AND server = ? AND server <> '' "
          "AND membership = 'join' LIMIT 1",
          {room, server})
      .has_value();
}

bool has_members(Session& session, RoomNumber room) {
  return session
      .find<std::int64_t>(
          "SELECT 1 FROM current_state WHERE room = ? AND type = 'm.room.member' AND ordinal <> 0 LIMIT 1", {room})
      .has_value();
}

std::vector<ServerName> list_joined_servers(Session& session, RoomNumber room) {
  std::vector<ServerName> servers;
  session.each<ServerName, std::int64_t>(
      "SELECT server, COUNT(*) FROM current_state WHERE room = ? AND server <> '' AND membership = 'join' "
      "GROUP BY server ORDER BY 2 DESC, 1",
      {room}, [&](ServerName server, std::int64_t) { servers.push_back(std::move(server)); });
  return servers;
}

std::vector<StateRow> list_members_of(Session& session, RoomNumber room, const ServerName& server) {
  std::vector<StateRow> rows;
  // Joined with itself: for a row that its index does not hold all of, SQLite would rather go over the whole room.
  session.each<std::string, StateNumber, std::int64_t, std::string>(
      "SELECT s.state_key, s.number, s.ordinal, s.membership FROM current_state m JOIN current_state s "
      "ON s.room = m.room AND s.type = 'm.room.member' AND s.state_key = m.state_key "
      "WHERE m.room = ? AND m.server = ? AND m.server <> ''",
      {room, server}, [&](std::string user, StateNumber number, std::int64_t ordinal, std::string membership) {
        StateRow& row = rows.emplace_back();
        row.type = "m.room.member";
        row.state_key = std::move(user);
        row.number = number;
        row.ordinal = ordinal;
        row.membership = std::move(membership);
      });
  return rows;
}

}  // namespace backplane::room_server::tables
