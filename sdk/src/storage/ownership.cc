#include "backplane/storage/ownership.h"

#include "backplane/log/position.h"

namespace backplane::storage {

static_assert(leader_shard == log::lane_count, "the shards before the leader's are the lanes of a log");

namespace {

class SoleOwnership final : public Ownership {
 public:
  std::uint64_t generation(std::uint16_t) const override { return 1; }
  std::string owner(std::uint16_t) const override { return {}; }
  bool leads() const override { return true; }
};

}  // namespace

Ownership::~Ownership() = default;

const Ownership& sole_ownership() {
  static const SoleOwnership sole;
  return sole;
}

Error not_owner(const Ownership& ownership, std::uint16_t shard) {
  const std::string owner = ownership.owner(shard);
  Error error = unavailable("not_owner", "another host has what this would change");
  return owner.empty() ? error : std::move(error).with("owner", owner);
}

}  // namespace backplane::storage
