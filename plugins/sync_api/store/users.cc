#include "store.h"

namespace backplane::sync_api::store {

using matrix::Membership;

UserRows load_user(storage::Session& session, const UserId& user) {
  UserRows rows;
  std::int64_t current = 0;
  Sequence last_to = 0;
  // All intervals in order of position, so that the last one of a room is what holds, and neighbours that both say
  // `join` (a changed profile) are one stay.
  session.each<std::int64_t, RoomId, std::uint16_t, Sequence, std::uint16_t, Sequence, Sequence, std::int64_t,
               std::optional<std::int64_t>, EventId>(
      "SELECT r.id, r.room, r.lane, r.last_sequence, r.receipt_lane, r.last_receipt, s.from_sequence, s.to_sequence,"
      " s.membership, s.event_id FROM state s JOIN rooms r ON r.id = s.room"
      " WHERE s.type = 'm.room.member' AND s.state_key = ? ORDER BY s.room, s.from_sequence",
      {user},
      [&](std::int64_t id, RoomId room, std::uint16_t lane, Sequence last, std::uint16_t receipt_lane,
          Sequence last_receipt, Sequence from, std::int64_t to, std::optional<std::int64_t> stored, EventId event_id) {
        const Membership membership = stored ? static_cast<Membership>(*stored) : Membership::leave;
        const bool same_room = id == current && !rows.rooms.empty();
        if (!same_room)
          rows.rooms.push_back({std::move(room), {id, lane, last, receipt_lane, last_receipt}, {}, 0, 0, 0, 0, {}});
        UserRoomRow& row = rows.rooms.back();
        const bool goes_on = same_room && last_to == from && row.membership == Membership::join;
        if (membership == Membership::join && !goes_on) row.joined_since = from;
        if (row.membership == Membership::join && membership != Membership::join && same_room) row.left_at = from;
        if (!same_room || !is_out(row.membership)) row.out_since = from;
        row.membership = membership;
        row.since = from;
        row.event_id = std::move(event_id);
        current = id;
        last_to = static_cast<Sequence>(to);
      });
  session.each<RoomId, std::uint16_t, Sequence, std::int64_t, EventId, std::string>(
      "SELECT room, lane, from_sequence, membership, event_id, stripped FROM pending WHERE user_id = ?", {user},
      [&](RoomId room, std::uint16_t lane, Sequence from, std::int64_t membership, EventId event_id,
          std::string stripped) {
        rows.pending.push_back({std::move(room),
                                {lane, from},
                                static_cast<Membership>(membership),
                                std::move(event_id),
                                std::move(stripped)});
      });
  session.each<RoomId, Sequence>("SELECT room, sequence FROM forgotten WHERE user_id = ?", {user},
                                 [&](RoomId room, Sequence at) { rows.forgotten.emplace(std::move(room), at); });
  session.each<RoomId, std::string, std::uint16_t, Sequence, std::string>(
      "SELECT room, type, lane, sequence, content FROM account_data WHERE user_id = ?", {user},
      [&](RoomId room, std::string type, std::uint16_t lane, Sequence sequence, std::string content) {
        rows.account_data.push_back({std::move(room), std::move(type), {lane, sequence}, std::move(content)});
      });
  return rows;
}

std::optional<Sequence> forgotten_at(storage::Session& session, const UserId& user, const RoomId& room) {
  return session.find<Sequence>("SELECT sequence FROM forgotten WHERE user_id = ? AND room = ?", {user, room});
}

void index_client_data(storage::Write& write, const ClientDataRecord& record) {
  const auto& d = record.data;
  write.execute(
      "INSERT INTO account_data (user_id, room, type, lane, sequence, content) VALUES (?, ?, ?, ?, ?, ?)"
      " ON CONFLICT (user_id, room, type) DO UPDATE SET lane = excluded.lane, sequence = excluded.sequence,"
      " content = excluded.content",
      {d.user, d.room, d.type, record.position.lane, record.position.sequence, d.content.text});
}

void reset_client_data(storage::Write& write) { write.execute("DELETE FROM account_data"); }

std::optional<std::string> find_filter(storage::Session& session, const UserId& user, std::string_view id) {
  return session.find<std::string>("SELECT body FROM filters WHERE user_id = ? AND id = ?", {user, id});
}

void insert_filter(storage::Write& write, const UserId& user, std::string_view id, std::string_view body) {
  write.execute("INSERT INTO filters (user_id, id, body) VALUES (?, ?, ?) ON CONFLICT (user_id, id) DO NOTHING",
                {user, id, body});
}

}  // namespace backplane::sync_api::store
