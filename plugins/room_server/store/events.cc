#include <algorithm>
#include <array>

#include "backplane/base/encoding.h"
#include "backplane/storage/rows.h"
#include "store.h"

namespace backplane::room_server::tables {
namespace {

std::int64_t id_hash(const EventId& event_id) { return static_cast<std::int64_t>(stable_hash(event_id.view())); }

/// Of an events table called e.
#define BACKPLANE_EVENT_COLUMNS                                                                                     \
  "e.event_key, e.event_id, e.log_lane, e.sequence, e.depth, e.type, e.state_key, e.sender, e.history_visibility, " \
  "e.replaces, e.membership_before, e.membership_after, e.device, e.transaction_id, e.content_version, e.json"

/// Runs a query whose columns are those above, then any `More`, and calls row(key, event, more…).
template <class... More, class Row>
void each_event(Session& session, std::string_view sql, std::initializer_list<storage::Parameter> parameters,
                Row&& row) {
  session.each<std::int64_t, EventId, std::uint16_t, std::uint64_t, std::int64_t, std::string,
               std::optional<std::string>, std::string, std::string, EventId, std::string, std::string, DeviceId,
               TransactionId, std::int64_t, std::string, More...>(
      sql, parameters,
      [&](std::int64_t key, EventId event_id, std::uint16_t lane, std::uint64_t sequence, std::int64_t depth,
          std::string type, std::optional<std::string> state_key, std::string sender, std::string history_visibility,
          EventId replaces, std::string before, std::string after, DeviceId device, TransactionId transaction_id,
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
                     content_version,
                     std::move(json)},
            std::move(more)...);
      });
}

/// At most this many ids in one statement; the statement is prepared once.
constexpr std::size_t ids_per_statement = 16;

}  // namespace

void insert_events(Write& write, RoomNumber room, std::span<const EventRow* const> events) {
  storage::Rows rows(
      "INSERT INTO events (event_key, event_id, log_lane, sequence, depth, type, state_key, sender, "
      "history_visibility, replaces, membership_before, membership_after, device, transaction_id, "
      "content_version, json, id_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const EventRow* const event : events) {
    rows.add({event_key(room, event->ordinal), event->event_id, event->position.lane, event->position.sequence,
              event->depth, event->type, event->state_key, event->sender, event->history_visibility, event->replaces,
              event->membership_before, event->membership_after, event->device, event->transaction_id,
              event->content_version, event->json, id_hash(event->event_id)});
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

std::optional<FoundEvent> find_event(Session& session, const EventId& event_id) {
  std::optional<FoundEvent> found;
  each_event(session, "SELECT " BACKPLANE_EVENT_COLUMNS " FROM events e WHERE e.id_hash = ? AND e.event_id = ?",
             {id_hash(event_id), event_id}, [&](std::int64_t key, EventRow event) {
               found = FoundEvent{room_of_key(key), std::move(event)};
             });
  return found;
}

std::optional<log::Position> find_position(Session& session, RoomNumber room, std::int64_t ordinal) {
  const auto row = session.find<std::uint16_t, std::uint64_t>(
      "SELECT log_lane, sequence FROM events WHERE event_key = ?", {event_key(room, ordinal)});
  if (!row) return std::nullopt;
  return log::Position{std::get<0>(*row), std::get<1>(*row)};
}

void replace_json(Write& write, RoomNumber room, const EventRow& event) {
  write.execute("UPDATE events SET content_version = ?, json = ? WHERE event_key = ?",
                {event.content_version, event.json, event_key(room, event.ordinal)});
}

void each_body(Session& session, std::span<const EventId> event_ids, const std::function<void(api::EventBody)>& body) {
  for (; !event_ids.empty(); event_ids = event_ids.subspan(std::min(event_ids.size(), ids_per_statement))) {
    // What is not needed of the last statement repeats its first id; a hash that is of another event is left out.
    const auto wanted = event_ids.first(std::min(event_ids.size(), ids_per_statement));
    std::array<storage::Parameter, ids_per_statement> hashes{nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                                                             nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                                                             nullptr, nullptr, nullptr, nullptr};
    for (std::size_t i = 0; i < hashes.size(); ++i) hashes[i] = id_hash(wanted[i < wanted.size() ? i : 0]);
    session.each_span<EventId, RoomId, RoomVersionId, std::int64_t, std::string>(
        "SELECT e.event_id, r.room_id, r.version, e.content_version, e.json FROM events e "
        "JOIN rooms r ON r.room = e.event_key / 4294967296 "
        "WHERE e.id_hash IN (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        hashes,
        [&](EventId event_id, RoomId room_id, RoomVersionId version, std::int64_t content_version, std::string json) {
          if (std::ranges::find(wanted, event_id) == wanted.end()) return;
          body({std::move(event_id), std::move(room_id), {std::move(json)}, std::move(version), content_version});
        });
  }
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
