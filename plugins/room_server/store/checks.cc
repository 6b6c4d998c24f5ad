// What may not be in room_server's database. The rows of a deleted room go by and by.
#include "store.h"

namespace backplane::room_server {
namespace {

std::string known(std::string_view room) {
  return "(EXISTS (SELECT 1 FROM rooms r WHERE r.room = " + std::string(room) +
         ") OR EXISTS (SELECT 1 FROM deleted_rooms d WHERE d.room = " + std::string(room) + "))";
}

/// Rows of a table that name a room which is not there.
storage::Check of_no_room(std::string_view what, std::string_view table, std::string_view room) {
  return {std::string(what) + " of no room", "SELECT DISTINCT CAST(" + std::string(room) + " AS TEXT) FROM " +
                                                 std::string(table) + " t WHERE NOT " + known(room)};
}

constexpr std::string_view room_of_event = "t.event_key / 4294967296";
constexpr std::string_view room_of_snapshot = "t.snapshot_key / 4294967296";

}  // namespace

std::vector<storage::Check> checks() {
  const std::string room_is_there = "EXISTS (SELECT 1 FROM rooms r WHERE r.room = ";
  return {
      of_no_room("events", "events", room_of_event),
      of_no_room("state events", "state_events", room_of_event),
      of_no_room("states", "state_snapshots", room_of_snapshot),
      of_no_room("current state", "current_state", "t.room"),
      of_no_room("state changes", "state_changes", "t.room"),
      of_no_room("backward extremities", "backward_extremities", "t.room"),
      of_no_room("waiting redactions", "waiting_redactions", "t.room"),
      of_no_room("waiting events", "waiting_events", "t.room"),
      of_no_room("purges", "purges", "t.room"),
      of_no_room("aliases", "aliases", "t.room"),
      of_no_room("forgotten memberships", "forgotten", "t.room"),
      of_no_room("transactions", "transactions", room_of_event),
      {"rooms without events",
       "SELECT room_id FROM rooms r WHERE NOT EXISTS (SELECT 1 FROM events e WHERE "
       "e.event_key >= r.room * 4294967296 AND e.event_key < (r.room + 1) * 4294967296)"},
      {"current state without its event",
       "SELECT t.event_id FROM current_state t WHERE t.ordinal <> 0 AND " + room_is_there +
           "t.room) AND NOT EXISTS (SELECT 1 FROM events e WHERE e.event_key = t.room * 4294967296 + t.ordinal)"},
      {"state events without their event",
       "SELECT t.event_id FROM state_events t WHERE " + room_is_there + std::string(room_of_event) +
           ") AND NOT EXISTS (SELECT 1 FROM events e WHERE e.event_key = t.event_key AND e.event_id = t.event_id)"},
      {"waiting redactions without their event",
       "SELECT t.target FROM waiting_redactions t WHERE " + room_is_there +
           "t.room) AND NOT EXISTS (SELECT 1 FROM events e WHERE e.event_key = t.room * 4294967296 + t.ordinal)"},
      {"backward extremities that nothing follows",
       "SELECT t.event_id FROM backward_extremities t WHERE " + room_is_there +
           "t.room) AND NOT EXISTS (SELECT 1 FROM events e WHERE e.event_key = t.room * 4294967296 + t.followed_by)"},
      {"states without what they build on",
       "SELECT CAST(t.snapshot_key AS TEXT) FROM state_snapshots t WHERE t.base <> 0 AND " + room_is_there +
           std::string(room_of_snapshot) +
           ") AND NOT EXISTS (SELECT 1 FROM state_snapshots b WHERE b.snapshot_key = "
           "t.snapshot_key / 4294967296 * 4294967296 + t.base)"},
      {"events without their state",
       "SELECT t.event_id FROM events t WHERE " + room_is_there + std::string(room_of_event) +
           ") AND ((t.state_before <> 0 AND NOT EXISTS (SELECT 1 FROM state_snapshots b WHERE b.snapshot_key = "
           "t.event_key / 4294967296 * 4294967296 + t.state_before)) OR (t.state_after <> 0 AND NOT EXISTS "
           "(SELECT 1 FROM state_snapshots b WHERE b.snapshot_key = "
           "t.event_key / 4294967296 * 4294967296 + t.state_after)))"},
      {"members under a server that is not theirs",
       "SELECT t.state_key FROM current_state t WHERE t.type = 'm.room.member' AND t.state_key LIKE '%:%' "
       "AND substr(t.state_key, length(t.state_key) - length(t.server)) <> ':' || t.server"},
      {"rooms whose members are counted wrong",
       "SELECT r.room_id FROM rooms r WHERE r.joined_members <> (SELECT COUNT(*) FROM current_state t "
       "WHERE t.room = r.room AND t.type = 'm.room.member' AND t.membership = 'join')"},
  };
}

}  // namespace backplane::room_server
