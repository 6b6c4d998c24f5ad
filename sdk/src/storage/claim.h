// What makes a PostgreSQL store this process' own, as a whole or in part: locks that the writer's session holds, so
// that whoever loses the session cannot write any more, and whoever gets the locks knows that nobody else does.
//
// Used by BatchTransaction, which owns the session: everything but ownership() is called on the thread that opens the
// store and then on its writer's, between transactions.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <string_view>

#include "backplane/base/clock.h"
#include "backplane/base/logger.h"
#include "backplane/storage/commit_hook.h"
#include "backplane/storage/database.h"
#include "backplane/storage/ownership.h"
#include "storage/soci_session.h"

namespace backplane::storage {

/// Every lane, and the leader's.
inline constexpr auto all_shards = [] {
  std::array<std::uint16_t, leader_shard + 1> shards{};
  std::iota(shards.begin(), shards.end(), std::uint16_t{0});
  return shards;
}();

class Claim {
 public:
  virtual ~Claim() = default;
  /// Any thread.
  virtual const Ownership& ownership() const = 0;
  /// How the store is shared, as far as this process has to care.
  virtual Sharing sharing() const = 0;
  /// The first thing on a new session: nobody may have the store who must not be there beside us. Throws Failure
  /// (unavailable/store_in_use), and the session is of no use then.
  virtual void guard(SociSession& session) = 0;
  /// After guard(), and after the migrations when the store is opened: takes what is to be this process' own, and
  /// tells the hook. When it throws, the session is of no use.
  virtual void begin(SociSession& session) = 0;
  /// When step() wants to be called next; nothing: never.
  virtual std::optional<Instant> due() const = 0;
  /// Looks after what is ours. When it throws, the session is of no use.
  virtual void step(SociSession& session) = 0;
  /// The session is gone, and its locks with it.
  virtual void lost() noexcept = 0;
  /// Gives everything back, in good order. What it throws does no harm: the session ends next.
  virtual void give_back(SociSession& session) = 0;
};

/// The claim that a configuration asks for; nullptr for a guest, and for SQLite, whose file is guarded by the folder's
/// lock. `hook` may be nullptr; both outlive the claim.
std::unique_ptr<Claim> make_claim(const DatabaseConfig& config, Clock& clock, Logger logger, CommitHook* hook);

/// Runs `work` in a transaction of the session; rolls back and throws what it throws.
template <class Work>
void in_transaction(SociSession& session, Work&& work) {
  session.execute(session.dialect().begin_write());
  try {
    work();
    session.execute("COMMIT");
  } catch (...) {
    try {
      if (session.in_transaction()) session.execute("ROLLBACK");
    } catch (const Failure&) {
      // The connection is gone, and the transaction with it.
    }
    throw;
  }
}
/// The same, while no other process does the like with this schema.
template <class Work>
void in_sole_transaction(SociSession& session, Work&& work) {
  in_transaction(session, [&] {
    if (session.dialect().engine() == Engine::postgresql) {
      // Keyed by the schema: each plugin's is a database of its own.
      session.execute_once("SELECT pg_advisory_xact_lock(7021971, hashtext(current_schema()))");
    }
    work();
  });
}

}  // namespace backplane::storage
