#include "migrations/migrations.h"

namespace backplane::client_api {
namespace {

constexpr std::string_view profile_job = R"(
CREATE TABLE memberships (
  user_id TEXT NOT NULL,
  room_id TEXT NOT NULL,
  PRIMARY KEY (user_id, room_id)
) {without_rowid};
CREATE INDEX memberships_by_room ON memberships (room_id);
CREATE TABLE profiles (
  user_id TEXT NOT NULL PRIMARY KEY,
  displayname TEXT,
  avatar_url TEXT
) {without_rowid};
CREATE TABLE profile_steps (
  user_id TEXT NOT NULL,
  room_id TEXT NOT NULL,
  PRIMARY KEY (user_id, room_id)
) {without_rowid};
)";

constexpr std::string_view profile_versions = R"(
ALTER TABLE profiles ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
)";

}  // namespace

std::vector<storage::Migration> migrations() {
  return {{1, "profile_job", profile_job}, {2, "profile_versions", profile_versions}};
}

}  // namespace backplane::client_api
