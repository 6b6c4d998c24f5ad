#include "migrations/migrations.h"

namespace backplane::sync_api {

std::vector<storage::Migration> migrations() {
  return {{1, "index", R"sql(
CREATE TABLE rooms (
  id BIGINT NOT NULL PRIMARY KEY,
  room TEXT NOT NULL UNIQUE,
  lane BIGINT NOT NULL DEFAULT 0,
  last_sequence BIGINT NOT NULL DEFAULT 0,
  receipt_lane BIGINT NOT NULL DEFAULT 0,
  last_receipt BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE timeline (
  room BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  topological BIGINT NOT NULL,
  kind BIGINT NOT NULL,
  event_id TEXT NOT NULL,
  type TEXT NOT NULL,
  state_key TEXT,
  sender TEXT NOT NULL,
  visibility BIGINT NOT NULL,
  device TEXT,
  transaction_id TEXT,
  PRIMARY KEY (room, sequence)
) {without_rowid};
CREATE INDEX timeline_order ON timeline (room, topological, sequence);
CREATE INDEX timeline_event ON timeline (event_id);
CREATE TABLE state (
  room BIGINT NOT NULL,
  type TEXT NOT NULL,
  state_key TEXT NOT NULL,
  from_sequence BIGINT NOT NULL,
  to_sequence BIGINT NOT NULL,
  event_id TEXT NOT NULL,
  membership BIGINT,
  PRIMARY KEY (room, type, state_key, from_sequence)
) {without_rowid};
CREATE INDEX state_member ON state (state_key, room, from_sequence) WHERE type = 'm.room.member';
CREATE TABLE pending (
  user_id TEXT NOT NULL,
  room TEXT NOT NULL,
  lane BIGINT NOT NULL,
  from_sequence BIGINT NOT NULL,
  membership BIGINT NOT NULL,
  event_id TEXT NOT NULL,
  stripped TEXT NOT NULL,
  PRIMARY KEY (user_id, room)
) {without_rowid};
CREATE TABLE forgotten (
  user_id TEXT NOT NULL,
  room TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  PRIMARY KEY (user_id, room)
) {without_rowid};
CREATE TABLE account_data (
  user_id TEXT NOT NULL,
  room TEXT NOT NULL,
  type TEXT NOT NULL,
  lane BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  content TEXT NOT NULL,
  PRIMARY KEY (user_id, room, type)
) {without_rowid};
CREATE TABLE receipts (
  room BIGINT NOT NULL,
  user_id TEXT NOT NULL,
  type TEXT NOT NULL,
  thread TEXT NOT NULL,
  lane BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  event_id TEXT NOT NULL,
  ts BIGINT NOT NULL,
  PRIMARY KEY (room, user_id, type, thread)
) {without_rowid};
CREATE TABLE to_device (
  user_id TEXT NOT NULL,
  device TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  lane BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (user_id, device, sequence)
) {without_rowid};
CREATE TABLE filters (
  user_id TEXT NOT NULL,
  id TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (user_id, id)
) {without_rowid};
)sql"},
          {2, "to_device_acknowledged", R"sql(
CREATE TABLE to_device_acknowledged (
  user_id TEXT NOT NULL,
  device TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  PRIMARY KEY (user_id, device)
) {without_rowid};
)sql"},
          // Of history only.
          {3, "history_places", R"sql(
ALTER TABLE timeline ADD COLUMN earliest BIGINT;
ALTER TABLE timeline ADD COLUMN latest BIGINT;
)sql"}};
}

}  // namespace backplane::sync_api
