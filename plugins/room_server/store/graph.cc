#include <deque>

#include "backplane/storage/rows.h"
#include "state/auth_index.h"
#include "store.h"
#include "store/keys.h"

namespace backplane::room_server::tables {
namespace {

StateEventRow state_event_of(std::int64_t key, StateNumber number, const Bytes& stored) {
  const auto ordinal = static_cast<std::uint32_t>(ordinal_of_key(key));
  auto auth_events = decode_auth_events(ordinal, stored.data);
  if (!auth_events) throw storage::Failure(auth_events.error());
  return {ordinal, number, std::move(*auth_events)};
}

}  // namespace

ForwardExtremities find_forward_extremities(Session& session, RoomNumber room) {
  const auto row = session.find<std::optional<std::string>, std::int64_t>(
      "SELECT forward_extremities, state FROM rooms WHERE room = ?", {room});
  if (!row || !std::get<0>(*row)) return {};
  auto ordinals = from_json<std::vector<std::int64_t>>(*std::get<0>(*row));
  if (!ordinals) throw storage::Failure(internal_error("the stored forward extremities of a room are damaged"));
  return {std::move(*ordinals), std::get<1>(*row)};
}

void replace_forward_extremities(Write& write, RoomNumber room, const ForwardExtremities& extremities) {
  std::optional<std::string> ordinals;
  if (!extremities.ordinals.empty()) ordinals = to_json(extremities.ordinals);
  write.execute("UPDATE rooms SET forward_extremities = ?, state = ? WHERE room = ?",
                {ordinals, extremities.state, room});
}

void insert_backward_extremities(Write& write, RoomNumber room, std::span<const EventId> event_ids,
                                 std::int64_t followed_by) {
  storage::Rows rows("INSERT INTO backward_extremities (room, event_id, followed_by) VALUES (?, ?, ?)");
  for (const EventId& event_id : event_ids) rows.add({room, event_id, followed_by});
  rows.insert(write);
}

std::vector<EventId> list_backward_extremities(Session& session, RoomNumber room, std::int64_t min_depth,
                                               std::int64_t max_depth, std::size_t limit) {
  return session.list<EventId>(
      "SELECT b.event_id FROM backward_extremities b "
      "JOIN events e ON e.event_key = b.room * 4294967296 + b.followed_by WHERE b.room = ? AND e.depth >= ? "
      "AND e.depth <= ? "
      "GROUP BY b.event_id ORDER BY MAX(e.depth) DESC, b.event_id LIMIT ?",
      {room, min_depth, max_depth, limit});
}

void delete_backward_extremity(Write& write, RoomNumber room, const EventId& event_id) {
  write.execute("DELETE FROM backward_extremities WHERE room = ? AND event_id = ?", {room, event_id});
}

void insert_waiting_redaction(Write& write, RoomNumber room, const EventId& target, std::int64_t ordinal) {
  write.execute("INSERT INTO waiting_redactions (room, target, ordinal) VALUES (?, ?, ?)", {room, target, ordinal});
}

void delete_waiting_redactions(Write& write, RoomNumber room, const EventId& target) {
  write.execute("DELETE FROM waiting_redactions WHERE room = ? AND target = ?", {room, target});
}

Awaited find_awaited(Session& session, RoomNumber room, const EventId& event_id) {
  Awaited awaited;
  awaited.by_followers =
      session.find<std::int64_t>("SELECT 1 FROM backward_extremities WHERE room = ? AND event_id = ?", {room, event_id})
          .has_value();
  awaited.redactions = session.list<std::int64_t>(
      "SELECT ordinal FROM waiting_redactions WHERE room = ? AND target = ? ORDER BY ordinal", {room, event_id});
  return awaited;
}

void insert_state_events(Write& write, RoomNumber room, std::span<const IdentifiedStateEvent> events) {
  storage::Rows rows("INSERT INTO state_events (event_key, number, auth_events, event_id) VALUES (?, ?, ?, ?)");
  std::deque<Bytes> auth_events;  // rows hold on to their texts
  for (const auto& [event_id, row] : events) {
    auth_events.push_back({encode_auth_events(row.ordinal, row.auth_events)});
    rows.add({event_key(room, row.ordinal), row.number, auth_events.back(), event_id});
  }
  rows.insert(write);
}

void each_state_event(Session& session, RoomNumber room, const std::function<void(StateEventRow)>& row) {
  session.each<std::int64_t, StateNumber, Bytes>(
      "SELECT event_key, number, auth_events FROM state_events WHERE event_key >= ? AND event_key < ?",
      {event_key(room, 0), event_key(room + 1, 0)},
      [&](std::int64_t key, StateNumber number, const Bytes& stored) { row(state_event_of(key, number, stored)); });
}

void each_state_event(Session& session, RoomNumber room, std::span<const std::int64_t> ordinals,
                      const std::function<void(StateEventRow)>& row) {
  for_each_keys(room, ordinals, [&](std::span<const storage::Parameter> keys) {
    session.each_span<std::int64_t, StateNumber, Bytes>(
        "SELECT event_key, number, auth_events FROM state_events WHERE event_key IN " BACKPLANE_KEYS, keys,
        [&](std::int64_t key, StateNumber number, const Bytes& stored) { row(state_event_of(key, number, stored)); });
  });
}

void each_state_event_id(Session& session, RoomNumber room, std::span<const std::int64_t> ordinals,
                         const std::function<void(EventId)>& row) {
  for_each_keys(room, ordinals, [&](std::span<const storage::Parameter> keys) {
    session.each_span<EventId>("SELECT event_id FROM state_events WHERE event_key IN " BACKPLANE_KEYS, keys, row);
  });
}

void insert_state_change(Write& write, RoomNumber room, const StateChangeRow& change) {
  write.execute("INSERT INTO state_changes (sequence, log_lane, room, record) VALUES (?, ?, ?, ?)",
                {change.position.sequence, change.position.lane, room, change.record});
}

void each_state_change_by_sequence(Session& session, std::uint64_t after, std::uint64_t up_to, std::size_t limit,
                                   const std::function<void(RoomId, StateChangeRow)>& row) {
  session.each<RoomId, std::uint16_t, std::uint64_t, std::string>(
      "SELECT r.room_id, c.log_lane, c.sequence, c.record FROM state_changes c JOIN rooms r ON r.room = c.room "
      "WHERE c.sequence > ? AND c.sequence <= ? ORDER BY c.sequence LIMIT ?",
      {after, up_to, limit}, [&](RoomId room_id, std::uint16_t lane, std::uint64_t sequence, std::string record) {
        row(std::move(room_id), {{lane, sequence}, std::move(record)});
      });
}

}  // namespace backplane::room_server::tables
