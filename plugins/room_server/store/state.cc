#include "backplane/storage/rows.h"
#include "store.h"

namespace backplane::room_server::tables {
namespace {

/// The columns of a body, of an event called e.
#define BACKPLANE_BODY_COLUMNS "e.event_id, e.content_version, e.json"

api::EventBody body_of(const RoomRow& room, EventId event_id, std::int64_t content_version, std::string json) {
  return {std::move(event_id), room.room_id, {std::move(json)}, room.version, content_version};
}

}  // namespace

void insert_states(Write& write, RoomNumber room, std::span<const StateRow* const> states) {
  storage::Rows rows(
      "INSERT INTO current_state (room, type, state_key, ordinal, since, event_id, membership, left_at) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  for (const StateRow* const state : states) {
    rows.add({room, state->type, state->state_key, state->ordinal, state->since, state->event_id, state->membership,
              state->left_at});
  }
  rows.insert(write);
}

void replace_state(Write& write, RoomNumber room, const StateRow& before, const StateRow& state) {
  write.execute("INSERT INTO past_state (room, until, type, state_key, since, ordinal) VALUES (?, ?, ?, ?, ?, ?)",
                {room, state.since, before.type, before.state_key, before.since, before.ordinal});
  write.execute(
      "UPDATE current_state SET ordinal = ?, since = ?, event_id = ?, membership = ?, left_at = ? "
      "WHERE room = ? AND type = ? AND state_key = ?",
      {state.ordinal, state.since, state.event_id, state.membership, state.left_at, room, state.type, state.state_key});
}

std::vector<StateRow> list_state(Session& session, RoomNumber room) {
  std::vector<StateRow> rows;
  session.each<std::string, std::string, EventId, std::int64_t, std::int64_t, std::string, std::optional<std::int64_t>>(
      "SELECT type, state_key, event_id, ordinal, since, membership, left_at FROM current_state WHERE room = ?", {room},
      [&](std::string type, std::string state_key, EventId event_id, std::int64_t ordinal, std::int64_t since,
          std::string membership, std::optional<std::int64_t> left_at) {
        rows.push_back({std::move(type), std::move(state_key), std::move(event_id), ordinal, since,
                        std::move(membership), left_at});
      });
  return rows;
}

void each_state_body(Session& session, const RoomRow& room, std::optional<std::int64_t> at,
                     const std::function<void(api::EventBody)>& body) {
  const auto row = [&](EventId event_id, std::int64_t content_version, std::string json) {
    body(body_of(room, std::move(event_id), content_version, std::move(json)));
  };
  if (!at) {
    session.each<EventId, std::int64_t, std::string>(
        "SELECT " BACKPLANE_BODY_COLUMNS
        " FROM current_state s JOIN events e ON e.event_key = s.room * 4294967296 + s.ordinal WHERE s.room = ?",
        {room.number}, row);
    return;
  }
  session.each<EventId, std::int64_t, std::string>(
      "SELECT " BACKPLANE_BODY_COLUMNS
      " FROM (SELECT room, ordinal FROM current_state WHERE room = ? AND since <= ? "
      "UNION ALL SELECT room, ordinal FROM past_state WHERE room = ? AND until > ? AND since <= ?) s "
      "JOIN events e ON e.event_key = s.room * 4294967296 + s.ordinal",
      {room.number, *at, room.number, *at, *at}, row);
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
  session.each<EventId, std::int64_t, std::string>(
      "SELECT " BACKPLANE_BODY_COLUMNS
      " FROM (SELECT room, ordinal FROM current_state WHERE room = ? AND type = ? AND state_key = ? AND since <= ? "
      "UNION ALL SELECT room, ordinal FROM past_state WHERE room = ? AND until > ? AND type = ? AND state_key = ? "
      "AND since <= ?) s JOIN events e ON e.event_key = s.room * 4294967296 + s.ordinal",
      {room.number, type, state_key, *at, room.number, *at, type, state_key, *at}, row);
  return found;
}

std::optional<std::int64_t> find_successor(Session& session, RoomNumber room, std::string_view type,
                                           std::string_view state_key, std::int64_t ordinal) {
  return session.find<std::int64_t>(
      "SELECT until FROM past_state WHERE room = ? AND until > ? AND type = ? AND state_key = ? AND ordinal = ? "
      "ORDER BY until LIMIT 1",
      {room, ordinal, type, state_key, ordinal});
}

}  // namespace backplane::room_server::tables
