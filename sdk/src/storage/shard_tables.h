// The tables by which the hosts that share a store know of each other. They say who is where; what counts is who holds
// the locks. Times are the database's. Functions run on a session of PostgreSQL and throw storage::Failure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backplane/storage/session.h"

namespace backplane::storage::shard_tables {

void create(Session& session);

struct HostRow {
  std::string host;
  std::int64_t pid = 0;  ///< the server process of its writer's session
  std::int64_t seen_ms = 0;
  std::int64_t age_ms = 0;  ///< since then
  bool connected = false;   ///< that process is there, and holds locks
};
/// This host lives, by this session.
void note_host(Session& session, const std::string& host);
void delete_host(Session& session, const std::string& host);
/// Unless it has been seen since.
void delete_host(Session& session, const HostRow& row);
std::vector<HostRow> list_hosts(Session& session);

struct ShardRow {
  std::uint16_t shard = 0;
  std::string host;  ///< who owns it, or is to
};
std::vector<ShardRow> list_shards(Session& session);
/// The shard is this session's now; answers its new generation.
std::uint64_t take_shard(Session& session, std::uint16_t shard, const std::string& host);
/// The shard is to be that host's; empty: whoever comes.
void leave_shard(Session& session, std::uint16_t shard, const std::string& to_host);

}  // namespace backplane::storage::shard_tables
