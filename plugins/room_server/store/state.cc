#include <algorithm>
#include <deque>

#include "backplane/storage/rows.h"
#include "store.h"
#include "store/keys.h"

namespace backplane::room_server::tables {
namespace {

/// Of a member's row, else empty.
ServerName server_of(const StateRow& state) {
  return state.type == "m.room.member" ? matrix::server_of(UserId(state.state_key)) : ServerName();
}

/// The columns of a body, of an event called e.
#define BACKPLANE_BODY_COLUMNS "e.event_id, e.content_version, e.json"

api::EventBody body_of(const RoomRow& room, EventId event_id, std::int64_t content_version, std::string json) {
  return {std::move(event_id), room.room_id, {std::move(json)}, room.version, content_version};
}

/// Where a purge has taken the event, what was before the next one that is left: state events are.
StateSnapshotPointer state_after(Session& session, RoomNumber room, std::int64_t ordinal) {
  const auto row = session.find<std::int64_t, std::int64_t, std::int64_t>(
      "SELECT event_key, state_before, state_after FROM events WHERE event_key >= ? AND event_key < ? "
      "ORDER BY event_key LIMIT 1",
      {event_key(room, ordinal), event_key(room + 1, 0)});
  if (!row) return nullptr;
  const auto& [key, before, after] = *row;
  return find_snapshot(session, room, ordinal_of_key(key) == ordinal ? after : before);
}

}  // namespace

void insert_states(Write& write, RoomNumber room, std::span<const StateRow* const> states) {
  storage::Rows rows(
      "INSERT INTO current_state (room, type, state_key, number, ordinal, event_id, membership, left_at, server) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  std::deque<ServerName> servers;  // rows hold on to their texts
  for (const StateRow* const state : states) {
    servers.push_back(server_of(*state));
    rows.add({room, state->type, state->state_key, state->number, state->ordinal, state->event_id, state->membership,
              state->left_at, servers.back()});
  }
  rows.insert(write);
}

void replace_state(Write& write, RoomNumber room, const StateRow& state) {
  write.execute(
      "UPDATE current_state SET ordinal = ?, event_id = ?, membership = ?, left_at = ? "
      "WHERE room = ? AND type = ? AND state_key = ?",
      {state.ordinal, state.event_id, state.membership, state.left_at, room, state.type, state.state_key});
}

std::vector<StateRow> list_state(Session& session, RoomNumber room) {
  std::vector<StateRow> rows;
  session.each<std::string, std::string, EventId, StateNumber, std::int64_t, std::string, std::optional<std::int64_t>>(
      "SELECT type, state_key, event_id, number, ordinal, membership, left_at FROM current_state WHERE room = ?",
      {room},
      [&](std::string type, std::string state_key, EventId event_id, StateNumber number, std::int64_t ordinal,
          std::string membership, std::optional<std::int64_t> left_at) {
        rows.push_back({std::move(type), std::move(state_key), std::move(event_id), number, ordinal,
                        std::move(membership), left_at});
      });
  return rows;
}

void each_state_body(Session& session, const RoomRow& room, std::optional<std::int64_t> at,
                     const std::function<void(api::EventBody)>& body) {
  if (!at) {
    session.each<EventId, std::int64_t, std::string>(
        "SELECT " BACKPLANE_BODY_COLUMNS
        " FROM current_state s JOIN events e ON e.event_key = s.room * 4294967296 + s.ordinal WHERE s.room = ?",
        {room.number}, [&](EventId event_id, std::int64_t content_version, std::string json) {
          body(body_of(room, std::move(event_id), content_version, std::move(json)));
        });
    return;
  }
  const StateSnapshotPointer snapshot = state_after(session, room.number, *at);
  if (!snapshot) return;
  const StateDelta entries = snapshot->entries();
  std::vector<std::int64_t> ordinals;
  for (const StateEntry& entry : entries) ordinals.push_back(entry.ordinal);
  each_body(session, room, std::move(ordinals), body);
}

void each_body(Session& session, const RoomRow& room, std::vector<std::int64_t> ordinals,
               const std::function<void(api::EventBody)>& body) {
  std::ranges::sort(ordinals);  // as they lie in the table
  for_each_keys(room.number, ordinals, [&](std::span<const storage::Parameter> keys) {
    session.each_span<EventId, std::int64_t, std::string>(
        "SELECT " BACKPLANE_BODY_COLUMNS " FROM events e WHERE e.event_key IN " BACKPLANE_KEYS, keys,
        [&](EventId event_id, std::int64_t content_version, std::string json) {
          body(body_of(room, std::move(event_id), content_version, std::move(json)));
        });
  });
}

std::optional<api::EventBody> find_state_body(Session& session, const RoomRow& room, std::optional<std::int64_t> at,
                                              std::string_view type, std::string_view state_key) {
  std::optional<api::EventBody> found;
  const auto row = [&](EventId event_id, std::int64_t content_version, std::string json) {
    found = body_of(room, std::move(event_id), content_version, std::move(json));
  };
  if (!at) {
    session.each<EventId, std::int64_t, std::string>(
        "SELECT " BACKPLANE_BODY_COLUMNS
        " FROM current_state s JOIN events e ON e.event_key = s.room * 4294967296 + s.ordinal "
        "WHERE s.room = ? AND s.type = ? AND s.state_key = ?",
        {room.number, type, state_key}, row);
    return found;
  }
  const auto number = session.find<StateNumber>(
      "SELECT number FROM current_state WHERE room = ? AND type = ? AND state_key = ?", {room.number, type, state_key});
  const StateSnapshotPointer snapshot = number ? state_after(session, room.number, *at) : nullptr;
  const std::uint32_t ordinal = snapshot ? snapshot->find(*number) : 0;
  if (ordinal == 0) return found;
  session.each<EventId, std::int64_t, std::string>(
      "SELECT " BACKPLANE_BODY_COLUMNS " FROM events e WHERE e.event_key = ?", {event_key(room.number, ordinal)}, row);
  return found;
}

bool is_current(Session& session, RoomNumber room, const EventRow& state) {
  return session.find<std::int64_t>("SELECT ordinal FROM current_state WHERE room = ? AND type = ? AND state_key = ?",
                                    {room, state.type, state.state_key}) == state.ordinal;
}

}  // namespace backplane::room_server::tables
