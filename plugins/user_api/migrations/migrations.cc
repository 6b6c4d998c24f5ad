#include "migrations/migrations.h"

namespace backplane::user_api {
namespace {

constexpr std::string_view accounts = R"(
CREATE TABLE users (
  localpart TEXT NOT NULL PRIMARY KEY,
  password_hash TEXT,
  admin BIGINT NOT NULL,
  guest BIGINT NOT NULL,
  deactivated BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  displayname TEXT,
  avatar_url TEXT,
  profile_version BIGINT NOT NULL
) {without_rowid};
CREATE TABLE profile_fields (
  localpart TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (localpart, name)
) {without_rowid};
CREATE TABLE devices (
  localpart TEXT NOT NULL,
  device_id TEXT NOT NULL,
  display_name TEXT,
  last_seen_ip TEXT NOT NULL,
  last_seen_ms BIGINT NOT NULL,
  PRIMARY KEY (localpart, device_id)
) {without_rowid};
CREATE TABLE access_tokens (
  digest TEXT NOT NULL PRIMARY KEY,
  localpart TEXT NOT NULL,
  device_id TEXT NOT NULL,
  expires_ms BIGINT
) {without_rowid};
CREATE INDEX access_tokens_by_device ON access_tokens (localpart, device_id);
CREATE TABLE refresh_tokens (
  digest TEXT NOT NULL PRIMARY KEY,
  localpart TEXT NOT NULL,
  device_id TEXT NOT NULL
) {without_rowid};
CREATE INDEX refresh_tokens_by_device ON refresh_tokens (localpart, device_id);
CREATE TABLE login_tokens (
  digest TEXT NOT NULL PRIMARY KEY,
  localpart TEXT NOT NULL,
  expires_ms BIGINT NOT NULL
) {without_rowid};
CREATE TABLE account_data (
  localpart TEXT NOT NULL,
  room_id TEXT NOT NULL,
  type TEXT NOT NULL,
  content TEXT NOT NULL,
  lane BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  PRIMARY KEY (localpart, room_id, type)
) {without_rowid};
CREATE INDEX account_data_by_sequence ON account_data (sequence);
)";

}  // namespace

std::vector<storage::Migration> migrations() { return {{1, "accounts", accounts}}; }

}  // namespace backplane::user_api
