#include "backplane/storage/database.h"

#include <string>
#include <utility>

#include "storage/claim.h"
#include "storage/connect.h"
#include "storage/group_commit.h"
#include "storage/migrate.h"
#include "storage/move_marker.h"
#include "storage/shard_tables.h"
#include "storage/work_scope.h"

namespace backplane::storage {
namespace {

/// The database answered, and does not want us: waiting is of no use.
bool is_refused(const Error& error) {
  if (error.text.find("FATAL") == std::string::npos) return error.code != ErrorCode::unavailable;
  return error.text.find("the database system is") == std::string::npos &&
         error.text.find("too many") == std::string::npos;
}

/// Runs `attempt` again and again, until it throws nothing, or a failure that `hopeless` or time is.
template <class Attempt, class Hopeless>
auto insist(Clock& clock, Duration time, Attempt&& attempt, Hopeless&& hopeless) {
  constexpr Duration pause = std::chrono::milliseconds(100);
  for (const Instant until = clock.now() + time;;) {
    try {
      return attempt();
    } catch (const Failure& failure) {
      if (clock.now() >= until || hopeless(failure.error())) throw;
    }
    wait_for(clock, pause);
  }
}

std::unique_ptr<Store> open(const DatabaseConfig& config, std::string_view name, std::span<const Migration> migrations,
                            Clock& clock, Metrics* metrics, Logger logger, CommitHook* hook) {
  Connect connect = connector(config, name, clock);
  const Duration patience = config.engine == Engine::postgresql ? config.times.connect_wait : Duration{};
  auto writer = insist(
      clock, patience, [&] { return connect(SessionUse::write); }, is_refused);
  move_marker::check_absent(*writer);
  auto claim = make_claim(config, clock, logger.part("shards"), hook);
  const Sharing sharing = claim ? claim->sharing() : Sharing::exclusive;
  if (claim) {
    // Who has the store may be about to end: this process, before it was killed and started again.
    insist(
        clock, config.times.claim_wait, [&] { claim->guard(*writer); },
        [](const Error& error) { return error.reason != "store_in_use"; });
  }
  if (auto migrated = migrate(*writer, migrations, clock, logger); !migrated) throw Failure(migrated.error());
  in_sole_transaction(*writer, [&] {
    if (sharing != Sharing::exclusive) shard_tables::create(*writer);
    if (hook != nullptr) hook->opened(*writer, sharing);
  });
  if (claim) claim->begin(*writer);
  else if (hook != nullptr) in_transaction(*writer, [&] { hook->taken(*writer, all_shards); });
  return std::make_unique<GroupCommit>(GroupCommit::Sizes{config.read_sessions, config.max_batch}, std::move(connect),
                                       std::move(writer), std::move(claim), clock, metrics, std::move(logger), hook);
}

}  // namespace

Result<std::unique_ptr<Store>> open_store(const DatabaseConfig& config, std::string_view name,
                                          std::span<const Migration> migrations, Clock& clock, Metrics* metrics,
                                          Logger logger, CommitHook* hook) {
  try {
    return open(config, name, migrations, clock, metrics, std::move(logger), hook);
  } catch (...) {
    Error error = error_of_current_exception();
    error.text = "database '" + std::string(name) + "': " + error.text;
    return error;
  }
}

}  // namespace backplane::storage
