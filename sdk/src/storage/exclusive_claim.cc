#include "storage/exclusive_claim.h"

#include <utility>

namespace backplane::storage {
AdvisoryLock store_lock(const DatabaseConfig& config) { return {config.schema, "store"}; }

void take_store(SociSession& session, const DatabaseConfig& config, AdvisoryLock::Mode mode) {
  const AdvisoryLock lock = store_lock(config);
  if (lock.try_take(session, mode)) return;
  std::string holder = "another process";
  if (const auto found = lock.find_holder(session)) {
    holder = "'" + found->application + "' (" + (found->address.empty() ? "" : "from " + found->address + ", ") +
             "server process " + std::to_string(found->pid) + ")";
  }
  throw Failure(unavailable("store_in_use", "the schema '" + config.schema + "' is in use by " + holder +
                                                ": stop that one first, or use another database"));
}

ExclusiveClaim::ExclusiveClaim(DatabaseConfig config, Clock& clock, CommitHook* hook)
    : config_(std::move(config)), clock_(clock), hook_(hook) {}

void ExclusiveClaim::guard(SociSession& session) { take_store(session, config_, AdvisoryLock::Mode::exclusive); }

void ExclusiveClaim::begin(SociSession& session) {
  // Another process may have written meanwhile: whatever is in memory is read anew.
  if (hook_ != nullptr) in_transaction(session, [&] { hook_->taken(session, all_shards); });
  generation_.fetch_add(1, std::memory_order_acq_rel);
  lost_at_.reset();
}

void ExclusiveClaim::lost() noexcept {
  if (!lost_at_) lost_at_ = clock_.now();
}

}  // namespace backplane::storage
