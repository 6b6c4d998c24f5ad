#include "store.h"

namespace backplane::room_server::tables {
namespace {

#define BACKPLANE_REMOTE_MEMBERSHIP_COLUMNS \
  "user_id, room_id, room_version, membership, event_id, origin, stripped_state, log_lane, sequence"

void each(Session& session, std::string_view sql, std::initializer_list<storage::Parameter> parameters,
          const std::function<void(RemoteMembershipRow)>& use) {
  session
      .each<UserId, RoomId, RoomVersionId, std::string, EventId, ServerName, std::string, std::uint16_t, std::uint64_t>(
          sql, parameters,
          [&](UserId user, RoomId room_id, RoomVersionId version, std::string membership, EventId event_id,
              ServerName origin, std::string stripped_state, std::uint16_t lane, std::uint64_t sequence) {
            use({std::move(user),
                 std::move(room_id),
                 std::move(version),
                 std::move(membership),
                 std::move(event_id),
                 std::move(origin),
                 std::move(stripped_state),
                 {lane, sequence}});
          });
}

}  // namespace

void replace_remote_membership(Write& write, const RemoteMembershipRow& row) {
  write.execute("INSERT INTO remote_memberships (" BACKPLANE_REMOTE_MEMBERSHIP_COLUMNS
                ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (user_id, room_id) DO UPDATE SET room_version = excluded.room_version, "
                "membership = excluded.membership, event_id = excluded.event_id, origin = excluded.origin, "
                "stripped_state = excluded.stripped_state, log_lane = excluded.log_lane, sequence = excluded.sequence",
                {row.user, row.room_id, row.version, row.membership, row.event_id, row.origin, row.stripped_state,
                 row.position.lane, row.position.sequence});
}

void delete_remote_membership(Write& write, const RoomId& room_id, const UserId& user) {
  write.execute("DELETE FROM remote_memberships WHERE user_id = ? AND room_id = ?", {user, room_id});
}

std::optional<RemoteMembershipRow> find_remote_membership(Session& session, const RoomId& room_id, const UserId& user) {
  std::optional<RemoteMembershipRow> found;
  each(session,
       "SELECT " BACKPLANE_REMOTE_MEMBERSHIP_COLUMNS " FROM remote_memberships WHERE user_id = ? AND room_id = ?",
       {user, room_id}, [&](RemoteMembershipRow row) { found = std::move(row); });
  return found;
}

std::vector<RemoteMembershipRow> list_remote_memberships_by_sequence(Session& session, std::uint64_t after,
                                                                     std::uint64_t up_to, std::size_t limit) {
  std::vector<RemoteMembershipRow> rows;
  each(session,
       "SELECT " BACKPLANE_REMOTE_MEMBERSHIP_COLUMNS
       " FROM remote_memberships WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?",
       {after, up_to, limit}, [&](RemoteMembershipRow row) { rows.push_back(std::move(row)); });
  return rows;
}

}  // namespace backplane::room_server::tables
