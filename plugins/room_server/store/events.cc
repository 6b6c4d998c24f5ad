#include <algorithm>

#include "backplane/base/encoding.h"
#include "backplane/storage/rows.h"
#include "store.h"
#include "store/keys.h"

namespace backplane::room_server::tables {
namespace {

std::int64_t id_hash(const EventId& event_id) { return static_cast<std::int64_t>(stable_hash(event_id.view())); }

/// Of an events table called e.
#define BACKPLANE_EVENT_COLUMNS                                                                                     \
  "e.event_key, e.event_id, e.log_lane, e.sequence, e.depth, e.type, e.state_key, e.sender, e.history_visibility, " \
  "e.replaces, e.membership_before, e.membership_after, e.device, e.transaction_id, e.status, e.became_current, "   \
  "e.state_before, e.state_after, e.content_version, e.json"

/// Runs a query whose columns are those above, then any `More`, and calls row(key, event, more…).
template <class... More, class Row>
void each_event_span(Session& session, std::string_view sql, std::span<const storage::Parameter> parameters,
                     Row&& row) {
  session.each_span<std::int64_t, EventId, std::uint16_t, std::uint64_t, std::int64_t, std::string,
                    std::optional<std::string>, std::string, std::string, EventId, std::string, std::string, DeviceId,
                    TransactionId, int, int, std::int64_t, std::int64_t, std::int64_t, std::string, More...>(
      sql, parameters,
      [&](std::int64_t key, EventId event_id, std::uint16_t lane, std::uint64_t sequence, std::int64_t depth,
          std::string type, std::optional<std::string> state_key, std::string sender, std::string history_visibility,
          EventId replaces, std::string before, std::string after, DeviceId device, TransactionId transaction_id,
          int status, int became_current, std::int64_t state_before, std::int64_t state_after,
          std::int64_t content_version, std::string json, More... more) {
        row(key,
            EventRow{ordinal_of_key(key),
                     std::move(event_id),
                     {lane, sequence},
                     depth,
                     std::move(type),
                     std::move(state_key),
                     std::move(sender),
                     std::move(history_visibility),
                     std::move(replaces),
                     std::move(before),
                     std::move(after),
                     std::move(device),
                     std::move(transaction_id),
                     static_cast<EventStatus>(status),
                     became_current != 0,
                     state_before,
                     state_after,
                     content_version,
                     std::move(json)},
            std::move(more)...);
      });
}
template <class... More, class Row>
void each_event(Session& session, std::string_view sql, std::initializer_list<storage::Parameter> parameters,
                Row&& row) {
  each_event_span<More...>(session, sql, {parameters.begin(), parameters.size()}, std::forward<Row>(row));
}

/// Each row has a number of its own, also where there is no position.
std::int64_t stored_sequence(const EventRow& event, std::int64_t key) {
  return is_published(event.status) ? static_cast<std::int64_t>(event.position.sequence) : -key;
}

/// At most this many ids in one statement; the statement is prepared once.
constexpr std::size_t ids_per_statement = keys_per_statement;

/// Calls `run` with the hashes of some ids at a time, and those ids: another event may have the same hash. What is not
/// needed of the last ones repeats the first.
template <class Run>
void for_each_hashes(std::span<const EventId> event_ids, Run&& run) {
  for (; !event_ids.empty(); event_ids = event_ids.subspan(std::min(event_ids.size(), ids_per_statement))) {
    const auto wanted = event_ids.first(std::min(event_ids.size(), ids_per_statement));
    std::vector<storage::Parameter> hashes;
    for (std::size_t i = 0; i < ids_per_statement; ++i) hashes.emplace_back(id_hash(wanted[i < wanted.size() ? i : 0]));
    run(std::move(hashes), [wanted](const EventId& id) { return std::ranges::find(wanted, id) != wanted.end(); });
  }
}

}  // namespace

void insert_events(Write& write, RoomNumber room, std::span<const EventRow* const> events, std::int64_t received_ms) {
  storage::Rows rows(
      "INSERT INTO events (event_key, event_id, log_lane, sequence, depth, type, state_key, sender, "
      "history_visibility, replaces, membership_before, membership_after, device, transaction_id, "
      "status, became_current, state_before, state_after, content_version, json, id_hash, received_ms) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const EventRow* const event : events) {
    const std::int64_t key = event_key(room, event->ordinal);
    rows.add({key,
              event->event_id,
              event->position.lane,
              stored_sequence(*event, key),
              event->depth,
              event->type,
              event->state_key,
              event->sender,
              event->history_visibility,
              event->replaces,
              event->membership_before,
              event->membership_after,
              event->device,
              event->transaction_id,
              static_cast<int>(event->status),
              static_cast<int>(event->became_current),
              event->state_before,
              event->state_after,
              event->content_version,
              event->json,
              id_hash(event->event_id),
              received_ms});
  }
  rows.insert(write);
}

std::optional<EventRow> find_last_event(Session& session, RoomNumber room) {
  std::optional<EventRow> found;
  each_event(session,
             "SELECT " BACKPLANE_EVENT_COLUMNS
             " FROM events e WHERE e.event_key >= ? AND e.event_key < ? ORDER BY e.event_key DESC LIMIT 1",
             {event_key(room, 0), event_key(room + 1, 0)},
             [&](std::int64_t, EventRow event) { found = std::move(event); });
  return found;
}

std::optional<EventRow> find_event(Session& session, RoomNumber room, std::int64_t ordinal) {
  std::optional<EventRow> found;
  each_event(session, "SELECT " BACKPLANE_EVENT_COLUMNS " FROM events e WHERE e.event_key = ?",
             {event_key(room, ordinal)}, [&](std::int64_t, EventRow event) { found = std::move(event); });
  return found;
}

std::int64_t lowest_ordinal(Session& session, RoomNumber room) {
  const auto key = session.find<std::int64_t>(
      "SELECT event_key FROM events WHERE event_key >= ? AND event_key < ? ORDER BY event_key LIMIT 1",
      {event_key(room, 0), event_key(room + 1, 0)});
  return key ? ordinal_of_key(*key) : first_ordinal;
}

std::optional<EventRow> find_event(Session& session, RoomNumber room, const EventId& event_id) {
  std::optional<EventRow> found;
  each_event(session,
             "SELECT " BACKPLANE_EVENT_COLUMNS
             " FROM events e WHERE e.id_hash = ? AND e.event_id = ? AND e.event_key >= ? AND e.event_key < ?",
             {id_hash(event_id), event_id, event_key(room, 0), event_key(room + 1, 0)},
             [&](std::int64_t, EventRow event) { found = std::move(event); });
  return found;
}

std::vector<EventRow> list_successors(Session& session, RoomNumber room, const EventId& replaced) {
  std::vector<EventRow> successors;
  each_event(session,
             "SELECT " BACKPLANE_EVENT_COLUMNS
             " FROM events e WHERE e.replaces = ? AND e.replaces <> '' AND e.event_key >= ? AND e.event_key < ?",
             {replaced, event_key(room, 0), event_key(room + 1, 0)},
             [&](std::int64_t, EventRow event) { successors.push_back(std::move(event)); });
  return successors;
}

std::optional<log::Position> find_position(Session& session, RoomNumber room, std::int64_t ordinal) {
  const auto row = session.find<std::uint16_t, std::int64_t>(
      "SELECT log_lane, sequence FROM events WHERE event_key = ?", {event_key(room, ordinal)});
  if (!row) return std::nullopt;
  // One that clients were never told of became current with another, long ago.
  return log::Position{std::get<0>(*row), static_cast<std::uint64_t>(std::max<std::int64_t>(0, std::get<1>(*row)))};
}

void replace_json(Write& write, RoomNumber room, const EventRow& event) {
  write.execute("UPDATE events SET content_version = ?, json = ? WHERE event_key = ?",
                {event.content_version, event.json, event_key(room, event.ordinal)});
}

void replace_place(Write& write, RoomNumber room, const EventRow& event) {
  const std::int64_t key = event_key(room, event.ordinal);
  write.execute(
      "UPDATE events SET log_lane = ?, sequence = ?, history_visibility = ?, replaces = ?, membership_before = ?, "
      "membership_after = ?, status = ?, became_current = ?, state_before = ?, state_after = ?, json = ? "
      "WHERE event_key = ?",
      {event.position.lane, stored_sequence(event, key), event.history_visibility, event.replaces,
       event.membership_before, event.membership_after, static_cast<int>(event.status),
       static_cast<int>(event.became_current), event.state_before, event.state_after, event.json, key});
}

void each_body(Session& session, std::span<const EventId> event_ids, const std::function<void(api::EventBody)>& body) {
  for_each_hashes(event_ids, [&](std::vector<storage::Parameter> hashes, const auto& is_wanted) {
    session.each_span<EventId, RoomId, RoomVersionId, std::int64_t, std::string>(
        "SELECT e.event_id, r.room_id, r.version, e.content_version, e.json FROM events e "
        "JOIN rooms r ON r.room = e.event_key / 4294967296 WHERE e.id_hash IN " BACKPLANE_KEYS,
        hashes,
        [&](EventId event_id, RoomId room_id, RoomVersionId version, std::int64_t content_version, std::string json) {
          if (is_wanted(event_id))
            body({std::move(event_id), std::move(room_id), {std::move(json)}, std::move(version), content_version});
        });
  });
}

void each_event_of(Session& session, std::span<const EventId> event_ids,
                   const std::function<void(RoomRow, EventRow)>& row) {
  for_each_hashes(event_ids, [&](std::vector<storage::Parameter> hashes, const auto& is_wanted) {
    each_event_span<RoomId, RoomVersionId>(
        session,
        "SELECT " BACKPLANE_EVENT_COLUMNS
        ", r.room_id, r.version FROM events e JOIN rooms r ON r.room = e.event_key / 4294967296 "
        "WHERE e.id_hash IN " BACKPLANE_KEYS,
        hashes, [&](std::int64_t key, EventRow event, RoomId room_id, RoomVersionId version) {
          if (is_wanted(event.event_id))
            row({room_of_key(key), std::move(room_id), std::move(version)}, std::move(event));
        });
  });
}

void each_json(Session& session, RoomNumber room, std::span<const std::int64_t> ordinals,
               const std::function<void(std::int64_t, std::string)>& row) {
  for_each_keys(room, ordinals, [&](std::span<const storage::Parameter> keys) {
    session.each_span<std::int64_t, std::string>(
        "SELECT event_key, json FROM events WHERE event_key IN " BACKPLANE_KEYS, keys,
        [&](std::int64_t key, std::string json) { row(ordinal_of_key(key), std::move(json)); });
  });
}

void each_state_entry(Session& session, RoomNumber room, std::span<const EventId> event_ids,
                      const std::function<void(EventId, const StateEntry&)>& row) {
  for_each_hashes(event_ids, [&](std::vector<storage::Parameter> parameters, const auto& is_wanted) {
    parameters.emplace_back(event_key(room, 0));
    parameters.emplace_back(event_key(room + 1, 0));
    session.each_span<EventId, std::int64_t, int, std::optional<StateNumber>>(
        "SELECT e.event_id, e.event_key, e.status, s.number FROM events e LEFT JOIN state_events s "
        "ON s.event_key = e.event_key WHERE e.id_hash IN " BACKPLANE_KEYS " AND e.event_key >= ? AND e.event_key < ?",
        parameters, [&](EventId event_id, std::int64_t key, int status, std::optional<StateNumber> number) {
          if (!is_wanted(event_id)) return;
          const bool says = number && static_cast<EventStatus>(status) != EventStatus::rejected;
          row(std::move(event_id), {says ? *number : 0, static_cast<std::uint32_t>(ordinal_of_key(key))});
        });
  });
}

void each_event_by_sequence(Session& session, std::uint64_t after, std::uint64_t up_to, std::size_t limit,
                            const std::function<void(const RoomRow&, EventRow&&)>& row) {
  each_event<RoomId, RoomVersionId>(
      session,
      "SELECT " BACKPLANE_EVENT_COLUMNS
      ", r.room_id, r.version FROM events e JOIN rooms r ON r.room = e.event_key / 4294967296 "
      "WHERE e.sequence > ? AND e.sequence <= ? ORDER BY e.sequence LIMIT ?",
      {after, up_to, limit}, [&](std::int64_t key, EventRow event, RoomId room_id, RoomVersionId version) {
        row(RoomRow{room_of_key(key), std::move(room_id), std::move(version)}, std::move(event));
      });
}

}  // namespace backplane::room_server::tables
