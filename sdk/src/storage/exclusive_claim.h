// The claim of a store that belongs to one process: one lock for all of it. A second process waits, or does not start.
#pragma once

#include <atomic>
#include <string>

#include "storage/advisory_lock.h"
#include "storage/claim.h"

namespace backplane::storage {

/// The lock that says whether a store belongs to one process or to several (which hold it in the shared mode).
AdvisoryLock store_lock(const DatabaseConfig& config);
/// Takes it, or throws who has it.
void take_store(SociSession& session, const DatabaseConfig& config, AdvisoryLock::Mode mode);

class ExclusiveClaim final : public Claim, public Ownership {
 public:
  ExclusiveClaim(DatabaseConfig config, Clock& clock, CommitHook* hook);

  // Ownership. While the connection is lost the store is still taken to be ours: most likely it will be again, and if
  // it is not, the next work says so.
  std::uint64_t generation(std::uint16_t) const override { return generation_.load(std::memory_order_acquire); }
  std::string owner(std::uint16_t) const override { return {}; }
  bool leads() const override { return true; }

  const Ownership& ownership() const override { return *this; }
  Sharing sharing() const override { return Sharing::exclusive; }
  void guard(SociSession& session) override;
  void begin(SociSession& session) override;
  std::optional<Instant> due() const override { return lost_at_; }
  void step(SociSession&) override {}
  void lost() noexcept override;
  void give_back(SociSession&) override {}

 private:
  const DatabaseConfig config_;
  Clock& clock_;
  CommitHook* const hook_;
  std::atomic<std::uint64_t> generation_{0};
  std::optional<Instant> lost_at_;  ///< a step is due then: it begins with a new connection
};

}  // namespace backplane::storage
