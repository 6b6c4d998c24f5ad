#include <algorithm>

#include "store.h"

namespace backplane::room_server::tables {
namespace {

std::string_view column(SummaryField field) {
  switch (field) {
    case SummaryField::join_rule: return "join_rule";
    case SummaryField::history_visibility: return "history_visibility";
    case SummaryField::guest_access: return "guest_access";
    case SummaryField::name: return "name";
    case SummaryField::topic: return "topic";
    case SummaryField::avatar_url: return "avatar_url";
    case SummaryField::canonical_alias: return "canonical_alias";
  }
  return {};
}

}  // namespace

std::optional<RoomRow> find_room(Session& session, const RoomId& room_id) {
  auto row = session.find<RoomNumber, RoomVersionId>("SELECT room, version FROM rooms WHERE room_id = ?", {room_id});
  if (!row) return std::nullopt;
  return RoomRow{std::get<0>(*row), room_id, std::move(std::get<1>(*row))};
}

std::optional<RoomRow> find_room(Session& session, RoomNumber room) {
  auto row = session.find<RoomId, RoomVersionId>("SELECT room_id, version FROM rooms WHERE room = ?", {room});
  if (!row) return std::nullopt;
  return RoomRow{room, std::move(std::get<0>(*row)), std::move(std::get<1>(*row))};
}

RoomNumber insert_room(Write& write, const RoomRow& room, const std::optional<std::string>& room_type) {
  // The defaults of a room without these events: `invite`, and `shared`.
  const std::uint16_t shard = log::lane_of(room.room_id.view());
  const RoomNumber count =
      write
          .find<RoomNumber>(
              "INSERT INTO room_numbers (shard, last) SELECT CAST(? AS BIGINT), COALESCE(MAX(room), 0) / 16 + 1 "
              "FROM (SELECT room FROM rooms UNION ALL SELECT room FROM deleted_rooms) known WHERE 1 = 1 ON CONFLICT "
              "(shard) DO UPDATE SET last = room_numbers.last + 1 RETURNING last",
              {shard})
          .value();
  const RoomNumber number = count * log::lane_count + shard;
  write.execute(
      "INSERT INTO rooms (room, room_id, version, joined_members, published, join_rule, history_visibility, room_type) "
      "VALUES (?, ?, ?, 0, 0, 'invite', 'shared', ?)",
      {number, room.room_id, room.version, room_type});
  return number;
}

void update_summary(Write& write, RoomNumber room, std::span<const SummaryChange> changes,
                    std::optional<std::int64_t> joined_members) {
  std::string assignments;
  std::vector<storage::Parameter> values;
  const auto assign = [&](std::string_view name, const storage::Parameter& value) {
    assignments.append(assignments.empty() ? "" : ", ").append(name).append(" = ?");
    values.push_back(value);
  };
  if (joined_members) assign("joined_members", *joined_members);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto& [field, value] = changes[i];
    if (std::ranges::find(changes.subspan(i + 1), field, &SummaryChange::field) == changes.end())
      assign(column(field), value);
  }
  if (values.empty()) return;
  values.emplace_back(room);
  write.execute_span("UPDATE rooms SET " + assignments + " WHERE room = ?", values);
}

std::int64_t joined_members(Session& session, RoomNumber room) {
  return session.find<std::int64_t>("SELECT joined_members FROM rooms WHERE room = ?", {room}).value_or(0);
}

}  // namespace backplane::room_server::tables
