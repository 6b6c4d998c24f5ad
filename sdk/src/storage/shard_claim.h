// The claim of a store that several hosts share: a lock for each shard, and a row by which each host tells the others
// that it lives. Every heartbeat a host looks who lives, computes who should own what (shard_plan.h), gives back what
// should be another's and takes what should be its own, as soon as the lock is free.
//
// A host whose session is gone, or that has said nothing for the time of a takeover, loses its shards. Then its session
// is ended, if it is still there: the lock is free only when that is done, so a host that was paused wakes without a
// session, and cannot write what others have taken over. Nobody is judged by one look, as it may be the database that
// stood still.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "storage/advisory_lock.h"
#include "storage/claim.h"
#include "storage/shard_tables.h"

namespace backplane::storage {

class ShardClaim final : public Claim, public Ownership {
 public:
  ShardClaim(DatabaseConfig config, Clock& clock, Logger logger, CommitHook* hook);

  // Ownership: any thread.
  std::uint64_t generation(std::uint16_t shard) const override;
  std::string owner(std::uint16_t shard) const override;
  bool leads() const override { return owns(leader_shard); }
  bool shared() const override { return true; }

  // Claim
  const Ownership& ownership() const override { return *this; }
  Sharing sharing() const override { return config_.sharing; }
  void guard(SociSession& session) override;
  void begin(SociSession& session) override;
  std::optional<Instant> due() const override { return due_; }
  void step(SociSession& session) override;
  void lost() noexcept override;
  void give_back(SociSession& session) override;

 private:
  static constexpr std::size_t shard_count = leader_shard + 1;
  using Shards = std::vector<std::uint16_t>;
  using Owners = std::array<std::string, shard_count>;
  /// What was last heard of another host, and for how long nothing else.
  struct Watched {
    std::int64_t seen_ms = 0;
    Instant since;
    int looks = 0;
  };
  struct Step;

  AdvisoryLock lock_of(std::uint16_t shard) const { return {config_.schema, "shard " + std::to_string(shard)}; }
  AdvisoryLock lock_of_host(const std::string& host) const { return {config_.schema, "host " + host}; }
  void take_host_name(SociSession& session);
  bool lives(const shard_tables::HostRow& row);
  void look(SociSession& session, Step& step);
  void plan(Step& step);
  void bury(SociSession& session, const Step& step);
  void take(SociSession& session, Step& step);
  void leave_memory(const Shards& shards) noexcept;

  const DatabaseConfig config_;
  Clock& clock_;
  const Logger logger_;
  CommitHook* const hook_;
  const Shards shards_;  ///< those there are in such a store
  std::array<std::atomic<std::uint64_t>, shard_count> generations_{};
  mutable std::mutex owners_mutex_;
  Owners owners_;

  // The writer's.
  std::map<std::string, Watched> watched_;
  Instant due_;
};

}  // namespace backplane::storage
