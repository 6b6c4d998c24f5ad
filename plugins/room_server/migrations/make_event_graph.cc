#include "migrations/make_event_graph.h"

#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "backplane/matrix/event.h"
#include "state/auth_index.h"
#include "store.h"

// The statements are this migration's own: those of store/ are of the newest tables.
namespace backplane::room_server {
namespace {

constexpr std::int64_t events_at_once = 1000;

using StateNumbers = std::map<std::pair<std::string, std::string>, StateNumber>;

struct Stored {
  std::int64_t key;
  EventId event_id;
  std::string type;
  std::string state_key;
  std::string json;
};

class OneRoom {
 public:
  OneRoom(storage::Session& session, RoomNumber room, const matrix::RoomVersion& version)
      : session_(session), room_(room), version_(version) {}

  void convert() {
    number_state();
    std::int64_t begin = event_key(room_, 0);
    const std::int64_t end = event_key(room_ + 1, 0);
    for (std::int64_t after = begin;;) {
      std::vector<Stored> events;
      session_.each<std::int64_t, EventId, std::string, std::string, std::string>(
          "SELECT event_key, event_id, type, state_key, json FROM events WHERE event_key > ? AND event_key < ? "
          "AND state_key IS NOT NULL ORDER BY event_key LIMIT ?",
          {after, end, events_at_once},
          [&](std::int64_t key, EventId event_id, std::string type, std::string state_key, std::string json) {
            events.push_back({key, std::move(event_id), std::move(type), std::move(state_key), std::move(json)});
          });
      if (events.empty()) break;
      after = events.back().key;
      for (const Stored& event : events) {
        place_others(begin, event.key);
        convert(event);
        begin = event.key + 1;
      }
    }
    place_others(begin, end);
  }

 private:
  /// Numbers each type and state key. All that ever were are in current_state.
  void number_state() {
    session_.each<std::string, std::string>("SELECT type, state_key FROM current_state WHERE room = ? ORDER BY ordinal",
                                            {room_}, [&](std::string type, std::string state_key) {
                                              const auto number = static_cast<StateNumber>(numbers_.size() + 1);
                                              numbers_.emplace(std::pair(std::move(type), std::move(state_key)),
                                                               number);
                                            });
    for (const auto& [key, number] : numbers_) {
      session_.execute("UPDATE current_state SET number = ? WHERE room = ? AND type = ? AND state_key = ?",
                       {number, room_, key.first, key.second});
    }
  }

  /// A state event.
  void convert(const Stored& event) {
    const std::int64_t before = number_of(snapshot_);
    const auto ordinal = static_cast<std::uint32_t>(ordinal_of_key(event.key));
    const StateNumber number = numbers_.at({event.type, event.state_key});
    snapshot_ = StateSnapshot::make(before + 1, snapshot_, {{number, ordinal}});
    session_.execute("INSERT INTO state_snapshots (snapshot_key, base, depth, delta) VALUES (?, ?, ?, ?)",
                     {event_key(room_, snapshot_->number()), number_of(snapshot_->base()), snapshot_->depth(),
                      Bytes{encode(snapshot_->delta())}});
    session_.execute("INSERT INTO state_events (event_key, number, auth_events) VALUES (?, ?, ?)",
                     {event.key, number, Bytes{encode_auth_events(ordinal, auth_events_of(event))}});
    ordinals_.emplace(event.event_id, ordinal);
    session_.execute("UPDATE events SET became_current = 1, state_before = ?, state_after = ? WHERE event_key = ?",
                     {before, number_of(snapshot_), event.key});
  }

  /// The events of a range, none of which is a state event.
  void place_others(std::int64_t begin, std::int64_t end) {
    const std::int64_t state = number_of(snapshot_);
    if (begin == end || state == 0) return;
    session_.execute("UPDATE events SET state_before = ?, state_after = ? WHERE event_key >= ? AND event_key < ?",
                     {state, state, begin, end});
  }

  static std::int64_t number_of(const StateSnapshotPointer& snapshot) { return snapshot ? snapshot->number() : 0; }

  std::vector<std::uint32_t> auth_events_of(const Stored& stored) const {
    std::vector<std::uint32_t> ordinals;
    for (const EventId& event_id : matrix::Event::from_stored(stored.json, stored.event_id, version_).auth_events()) {
      if (const auto at = ordinals_.find(event_id); at != ordinals_.end()) ordinals.push_back(at->second);
    }
    return ordinals;
  }

  storage::Session& session_;
  const RoomNumber room_;
  const matrix::RoomVersion& version_;
  StateNumbers numbers_;
  std::unordered_map<EventId, std::uint32_t> ordinals_;  // of state events
  StateSnapshotPointer snapshot_;
};

}  // namespace

void make_event_graph(storage::Session& session) {
  for (const auto& [room, id] : session.list<RoomNumber, RoomVersionId>("SELECT room, version FROM rooms")) {
    const matrix::RoomVersion* const version = matrix::find_room_version(id);
    if (version == nullptr) throw storage::Failure(internal_error("a stored room has version '" + id.str() + "'"));
    OneRoom(session, room, *version).convert();
  }
}

}  // namespace backplane::room_server
