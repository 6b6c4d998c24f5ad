#include "storage/shard_plan.h"

#include <algorithm>
#include <map>

namespace backplane::storage {

std::vector<std::string> plan_shards(std::vector<std::string> hosts, std::span<const std::string> owners) {
  std::map<std::string, std::size_t, std::less<>> has;
  for (const std::string& host : hosts) has[host] = 0;
  for (const std::string& owner : owners) {
    if (const auto it = has.find(owner); it != has.end()) ++it->second;
  }
  // Those who have most keep the one more that some may have.
  std::ranges::sort(
      hosts, [&](const std::string& a, const std::string& b) { return has[a] != has[b] ? has[a] > has[b] : a < b; });
  std::map<std::string, std::size_t, std::less<>> room;
  for (std::size_t i = 0; i < hosts.size(); ++i)
    room[hosts[i]] = owners.size() / hosts.size() + (i < owners.size() % hosts.size() ? 1 : 0);

  std::vector<std::string> plan(owners.size());
  for (std::size_t shard = 0; shard < owners.size(); ++shard) {
    const auto it = room.find(owners[shard]);
    if (it == room.end() || it->second == 0) continue;
    plan[shard] = owners[shard];
    --it->second;
  }
  for (std::string& owner : plan) {
    if (!owner.empty()) continue;
    const auto host = std::ranges::find_if(hosts, [&](const std::string& name) { return room[name] > 0; });
    owner = *host;
    --room[*host];
  }
  return plan;
}

}  // namespace backplane::storage
