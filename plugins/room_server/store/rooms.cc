#include "store.h"

namespace backplane::room_server::tables {
namespace {

std::string_view update_statement(SummaryField field) {
  switch (field) {
    case SummaryField::join_rule: return "UPDATE rooms SET join_rule = ? WHERE room = ?";
    case SummaryField::history_visibility: return "UPDATE rooms SET history_visibility = ? WHERE room = ?";
    case SummaryField::guest_access: return "UPDATE rooms SET guest_access = ? WHERE room = ?";
    case SummaryField::name: return "UPDATE rooms SET name = ? WHERE room = ?";
    case SummaryField::topic: return "UPDATE rooms SET topic = ? WHERE room = ?";
    case SummaryField::avatar_url: return "UPDATE rooms SET avatar_url = ? WHERE room = ?";
    case SummaryField::canonical_alias: return "UPDATE rooms SET canonical_alias = ? WHERE room = ?";
  }
  return {};
}

}  // namespace

std::optional<RoomRow> find_room(Session& session, const RoomId& room_id) {
  auto row = session.find<RoomNumber, RoomVersionId>("SELECT room, version FROM rooms WHERE room_id = ?", {room_id});
  if (!row) return std::nullopt;
  return RoomRow{std::get<0>(*row), room_id, std::move(std::get<1>(*row))};
}

RoomNumber insert_room(Write& write, const RoomRow& room, const std::optional<std::string>& room_type) {
  // The defaults of a room without these events: `invite`, and `shared`.
  const std::uint16_t shard = log::lane_of(room.room_id.view());
  const RoomNumber count =
      write
          .find<RoomNumber>(
              "INSERT INTO room_numbers (shard, last) SELECT CAST(? AS BIGINT), COALESCE(MAX(room), 0) / 16 + 1 "
              "FROM rooms WHERE 1 = 1 ON CONFLICT (shard) DO UPDATE SET last = room_numbers.last + 1 RETURNING last",
              {shard})
          .value();
  const RoomNumber number = count * log::lane_count + shard;
  write.execute(
      "INSERT INTO rooms (room, room_id, version, joined_members, published, join_rule, history_visibility, room_type) "
      "VALUES (?, ?, ?, 0, 0, 'invite', 'shared', ?)",
      {number, room.room_id, room.version, room_type});
  return number;
}

void update_summary(Write& write, RoomNumber room, SummaryField field, const std::optional<std::string>& value) {
  write.execute(update_statement(field), {value, room});
}

void update_joined_members(Write& write, RoomNumber room, std::int64_t count) {
  write.execute("UPDATE rooms SET joined_members = ? WHERE room = ?", {count, room});
}

std::string history_visibility(Session& session, RoomNumber room) {
  return session.find<std::string>("SELECT history_visibility FROM rooms WHERE room = ?", {room}).value_or("");
}

std::int64_t joined_members(Session& session, RoomNumber room) {
  return session.find<std::int64_t>("SELECT joined_members FROM rooms WHERE room = ?", {room}).value_or(0);
}

}  // namespace backplane::room_server::tables
