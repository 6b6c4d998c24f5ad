#include "migrations/migrations.h"

#include "migrations/find_member_servers.h"
#include "migrations/make_event_graph.h"
#include "migrations/note_times_of_receipt.h"

namespace backplane::room_server {
namespace {

constexpr std::string_view rooms = R"sql(
CREATE TABLE rooms (
  room {row_number},
  room_id TEXT NOT NULL UNIQUE,
  version TEXT NOT NULL,
  joined_members BIGINT NOT NULL,
  published BIGINT NOT NULL,
  join_rule TEXT NOT NULL,
  history_visibility TEXT NOT NULL,
  guest_access TEXT,
  name TEXT,
  topic TEXT,
  avatar_url TEXT,
  canonical_alias TEXT,
  room_type TEXT
);
-- The room directory, largest room first.
CREATE INDEX rooms_published ON rooms (joined_members, room) WHERE published = 1;

-- event_key is room * 2^32 + the event's ordinal in the room: a room's events lie side by side, in their order.
CREATE TABLE events (
  event_key {row_number},
  event_id TEXT NOT NULL,
  id_hash BIGINT NOT NULL,
  log_lane BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  depth BIGINT NOT NULL,
  type TEXT NOT NULL,
  state_key TEXT,
  sender TEXT NOT NULL,
  history_visibility TEXT NOT NULL,
  replaces TEXT NOT NULL,
  membership_before TEXT NOT NULL,
  membership_after TEXT NOT NULL,
  device TEXT NOT NULL,
  transaction_id TEXT NOT NULL,
  content_version BIGINT NOT NULL,
  json TEXT NOT NULL
);
-- By a hash of the id: eight bytes instead of 44 in an index whose pages are all in use at once.
CREATE INDEX events_by_id ON events (id_hash);
CREATE UNIQUE INDEX events_by_sequence ON events (sequence);

CREATE TABLE current_state (
  room BIGINT NOT NULL,
  type TEXT NOT NULL,
  state_key TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  since BIGINT NOT NULL,
  event_id TEXT NOT NULL,
  membership TEXT NOT NULL,
  left_at BIGINT,
  PRIMARY KEY (room, type, state_key)
) {without_rowid};
CREATE INDEX members_by_user ON current_state (state_key, room, membership) WHERE type = 'm.room.member';

-- What was current from `since` on, and not any more from `until` on.
CREATE TABLE past_state (
  room BIGINT NOT NULL,
  until BIGINT NOT NULL,
  type TEXT NOT NULL,
  state_key TEXT NOT NULL,
  since BIGINT NOT NULL,
  ordinal BIGINT NOT NULL,
  PRIMARY KEY (room, until, type, state_key)
) {without_rowid};

CREATE TABLE transactions (
  transaction_key TEXT NOT NULL PRIMARY KEY,
  event_key BIGINT NOT NULL,
  stored_s BIGINT NOT NULL
) {without_rowid};
CREATE INDEX transactions_by_age ON transactions (stored_s);

CREATE TABLE aliases (
  alias TEXT NOT NULL PRIMARY KEY,
  room BIGINT NOT NULL,
  creator TEXT NOT NULL,
  created_ms BIGINT NOT NULL
) {without_rowid};
CREATE INDEX aliases_by_room ON aliases (room);

-- Holds as long as the user's membership is the one at `ordinal`.
CREATE TABLE forgotten (
  user_id TEXT NOT NULL,
  room BIGINT NOT NULL,
  ordinal BIGINT NOT NULL,
  membership TEXT NOT NULL,
  log_lane BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  PRIMARY KEY (user_id, room)
) {without_rowid};
CREATE UNIQUE INDEX forgotten_by_sequence ON forgotten (sequence);
)sql";

// A room's number is of its shard: 16 * n + shard, where n only grows. So its owner counts alone, and no number comes
// back after its room is gone. A shard's first is above all that there were.
constexpr std::string_view room_numbers = R"sql(
CREATE TABLE room_numbers (
  shard BIGINT NOT NULL PRIMARY KEY,
  last BIGINT NOT NULL
) {without_rowid};
)sql";

// Rooms whose events branch: the state before and after each event in place of what was current between two of one
// line, what became of each event, and which events nothing follows.
constexpr std::string_view event_graph = R"sql(
ALTER TABLE events ADD COLUMN status BIGINT NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN became_current BIGINT NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN state_before BIGINT NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN state_after BIGINT NOT NULL DEFAULT 0;
ALTER TABLE current_state ADD COLUMN number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE current_state DROP COLUMN since;
DROP TABLE past_state;

-- What came in the place of a state event.
CREATE INDEX events_by_replaced ON events (replaces) WHERE replaces <> '';

-- The ordinals of the forward extremities and the number of the current state, where that is not the last event and the
-- state after it.
ALTER TABLE rooms ADD COLUMN forward_extremities TEXT;
ALTER TABLE rooms ADD COLUMN state BIGINT NOT NULL DEFAULT 0;

-- Events that others follow and that are not here, or not in their place.
CREATE TABLE backward_extremities (
  room BIGINT NOT NULL,
  event_id TEXT NOT NULL,
  followed_by BIGINT NOT NULL,
  PRIMARY KEY (room, event_id, followed_by)
) {without_rowid};

-- Redactions, by their ordinals, of events that are not here.
CREATE TABLE waiting_redactions (
  room BIGINT NOT NULL,
  target TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  PRIMARY KEY (room, target, ordinal)
) {without_rowid};

-- snapshot_key is room * 2^32 + the snapshot's number in the room; base is such a number, or 0.
CREATE TABLE state_snapshots (
  snapshot_key {row_number},
  base BIGINT NOT NULL,
  depth BIGINT NOT NULL,
  delta {bytes} NOT NULL
);

-- Every state event, current or not: the number of its type and state key, and the ordinals of its auth events.
CREATE TABLE state_events (
  event_key {row_number},
  number BIGINT NOT NULL,
  auth_events {bytes} NOT NULL
);

-- What changed by resolution, beside the events that came: their records.
CREATE TABLE state_changes (
  sequence {row_number},
  log_lane BIGINT NOT NULL,
  room BIGINT NOT NULL,
  record TEXT NOT NULL
);
CREATE INDEX state_changes_by_room ON state_changes (room);

-- Rooms whose events below an ordinal are to go, but for state events; `done` is the key of the last that was looked at.
CREATE TABLE purges (
  room {row_number},
  up_to BIGINT NOT NULL,
  done BIGINT NOT NULL
);

-- Rooms that nobody finds any more, and whose rows are not all gone.
CREATE TABLE deleted_rooms (
  room {row_number}
);
)sql";

// The server of each member, empty for other state: so which servers are in a room, and who of one, is found without
// looking at all the others.
constexpr std::string_view member_servers = R"sql(
ALTER TABLE current_state ADD COLUMN server TEXT NOT NULL DEFAULT '';
CREATE INDEX members_by_server ON current_state (room, server, membership) WHERE server <> '';
)sql";

// When events came, by the clock of this server, and where a room's messages begin, for retention.
constexpr std::string_view times_of_receipt = R"sql(
ALTER TABLE events ADD COLUMN received_ms BIGINT NOT NULL DEFAULT 0;
-- What is no state event and has no place in the order of the others: few, among many that others cite.
CREATE INDEX events_low ON events ((event_key / 4294967296), received_ms)
  WHERE state_key IS NULL AND event_key % 4294967296 < 2147483648;

-- The ordinal before which there are only state events; 0: nobody has looked.
ALTER TABLE rooms ADD COLUMN messages_from BIGINT NOT NULL DEFAULT 0;

-- Of events that have no place in the order of the others those go that came before; 0: that are less deep.
ALTER TABLE purges ADD COLUMN received_before BIGINT NOT NULL DEFAULT 0;
)sql";

constexpr std::string_view waiting_events = R"sql(
-- New events that came before what they follow or cite. (They are few: no index by time.)
CREATE TABLE waiting_events (
  room BIGINT NOT NULL,
  event_id TEXT NOT NULL,
  origin TEXT NOT NULL,
  received_ms BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  next_attempt_ms BIGINT NOT NULL,
  json TEXT NOT NULL,
  PRIMARY KEY (room, event_id)
);
)sql";

constexpr std::string_view remote_memberships = R"sql(
-- Invites to rooms that nobody of this server is in, knocks at their doors, and those that came to nothing.
CREATE TABLE remote_memberships (
  user_id TEXT NOT NULL,
  room_id TEXT NOT NULL,
  room_version TEXT NOT NULL,
  membership TEXT NOT NULL,
  event_id TEXT NOT NULL,
  origin TEXT NOT NULL,
  stripped_state TEXT NOT NULL,
  log_lane BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  PRIMARY KEY (user_id, room_id)
);
CREATE INDEX remote_memberships_by_sequence ON remote_memberships (sequence);
)sql";

// Whoever asks for a state wants the ids of thousands of its events: here hundreds lie on a page, in events one or two.
constexpr std::string_view state_event_ids = R"sql(
ALTER TABLE state_events ADD COLUMN event_id TEXT NOT NULL DEFAULT '';
UPDATE state_events SET event_id = (SELECT e.event_id FROM events e WHERE e.event_key = state_events.event_key)
  WHERE EXISTS (SELECT 1 FROM events e WHERE e.event_key = state_events.event_key);
)sql";

}  // namespace

std::vector<storage::Migration> migrations() {
  return {{1, "rooms", rooms},
          {2, "room_numbers", room_numbers},
          {3, "event_graph", event_graph, make_event_graph},
          {4, "member_servers", member_servers, find_member_servers},
          {5, "times_of_receipt", times_of_receipt, note_times_of_receipt},
          {6, "waiting_events", waiting_events},
          {7, "remote_memberships", remote_memberships},
          {8, "state_event_ids", state_event_ids}};
}

}  // namespace backplane::room_server
