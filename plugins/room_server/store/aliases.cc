#include "store.h"

namespace backplane::room_server::tables {

std::optional<AliasRow> find_alias(Session& session, const RoomAlias& alias) {
  auto row = session.find<RoomNumber, RoomId, RoomVersionId, UserId>(
      "SELECT a.room, r.room_id, r.version, a.creator FROM aliases a JOIN rooms r ON r.room = a.room WHERE a.alias = ?",
      {alias});
  if (!row) return std::nullopt;
  auto& [room, room_id, version, creator] = *row;
  return AliasRow{{room, std::move(room_id), std::move(version)}, std::move(creator)};
}

void insert_alias(Write& write, const RoomAlias& alias, RoomNumber room, const UserId& creator,
                  std::int64_t created_ms) {
  write.execute("INSERT INTO aliases (alias, room, creator, created_ms) VALUES (?, ?, ?, ?)",
                {alias, room, creator, created_ms});
}

void delete_alias(Write& write, const RoomAlias& alias) {
  write.execute("DELETE FROM aliases WHERE alias = ?", {alias});
}

void move_aliases(Write& write, RoomNumber from, RoomNumber to) {
  write.execute("UPDATE aliases SET room = ? WHERE room = ?", {to, from});
}

std::vector<RoomAlias> list_aliases(Session& session, RoomNumber room) {
  return session.list<RoomAlias>("SELECT alias FROM aliases WHERE room = ? ORDER BY created_ms, alias", {room});
}

}  // namespace backplane::room_server::tables
