// Who should own which shard: evenly, and with as few moves as that takes. Every host computes the same from the same
// tables. A pure function.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace backplane::storage {

/// For each shard the host that should own it. `hosts`: those that live, at least one. `owners`: who had each shard
/// last; empty, or a host that does not live, when it is nobody's.
std::vector<std::string> plan_shards(std::vector<std::string> hosts, std::span<const std::string> owners);

}  // namespace backplane::storage
