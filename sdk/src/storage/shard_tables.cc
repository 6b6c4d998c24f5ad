#include "storage/shard_tables.h"

namespace backplane::storage::shard_tables {
namespace {

#define BACKPLANE_DATABASE_MS "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"

}  // namespace

void create(Session& session) {
  session.execute(
      "CREATE TABLE IF NOT EXISTS bp_hosts (host TEXT NOT NULL PRIMARY KEY, backend_pid BIGINT NOT NULL, "
      "seen_ms BIGINT NOT NULL)");
  session.execute(
      "CREATE TABLE IF NOT EXISTS bp_shards (shard BIGINT NOT NULL PRIMARY KEY, host TEXT NOT NULL, "
      "generation BIGINT NOT NULL, backend_pid BIGINT NOT NULL)");
}

void note_host(Session& session, const std::string& host) {
  session.execute(
      "INSERT INTO bp_hosts (host, backend_pid, seen_ms) VALUES (?, pg_backend_pid(), " BACKPLANE_DATABASE_MS
      ") ON CONFLICT (host) DO UPDATE SET backend_pid = excluded.backend_pid, seen_ms = excluded.seen_ms",
      {host});
}

void delete_host(Session& session, const std::string& host) {
  session.execute("DELETE FROM bp_hosts WHERE host = ?", {host});
}

void delete_host(Session& session, const HostRow& row) {
  session.execute("DELETE FROM bp_hosts WHERE host = ? AND seen_ms = ?", {row.host, row.seen_ms});
}

std::vector<HostRow> list_hosts(Session& session) {
  std::vector<HostRow> rows;
  session.each<std::string, std::int64_t, std::int64_t, std::int64_t, std::int64_t>(
      "SELECT h.host, h.backend_pid, h.seen_ms, " BACKPLANE_DATABASE_MS
      " - h.seen_ms, CASE WHEN EXISTS (SELECT 1 FROM pg_locks l WHERE l.pid = h.backend_pid AND l.locktype = "
      "'advisory' AND l.granted) THEN 1 ELSE 0 END FROM bp_hosts h",
      {}, [&](std::string host, std::int64_t pid, std::int64_t seen_ms, std::int64_t age_ms, std::int64_t connected) {
        rows.push_back({std::move(host), pid, seen_ms, age_ms, connected == 1});
      });
  return rows;
}

std::vector<ShardRow> list_shards(Session& session) {
  std::vector<ShardRow> rows;
  session.each<std::uint16_t, std::string>("SELECT shard, host FROM bp_shards", {},
                                           [&](std::uint16_t shard, std::string host) {
                                             rows.push_back({shard, std::move(host)});
                                           });
  return rows;
}

std::uint64_t take_shard(Session& session, std::uint16_t shard, const std::string& host) {
  return session
      .find<std::uint64_t>(
          "INSERT INTO bp_shards (shard, host, generation, backend_pid) VALUES (?, ?, 1, pg_backend_pid()) "
          "ON CONFLICT (shard) DO UPDATE SET host = excluded.host, generation = bp_shards.generation + 1, "
          "backend_pid = excluded.backend_pid RETURNING generation",
          {shard, host})
      .value();
}

void leave_shard(Session& session, std::uint16_t shard, const std::string& to_host) {
  session.execute("UPDATE bp_shards SET host = ?, backend_pid = 0 WHERE shard = ?", {to_host, shard});
}

}  // namespace backplane::storage::shard_tables
