#include "storage/shard_claim.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "storage/exclusive_claim.h"
#include "storage/shard_plan.h"

namespace backplane::storage {
namespace {

/// A host that stands still is not judged before it was looked at so many times.
constexpr int looks_before_judging = 3;
/// A host without a session may be about to connect anew, as all are after a restart of the database.
constexpr int absent_heartbeats = 3;
/// While something of ours is still with another, or a session was just ended.
constexpr int looks_a_heartbeat = 10;

std::int64_t ms(Duration duration) { return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count(); }

std::vector<std::uint16_t> shards_of(Sharing sharing) {
  if (sharing == Sharing::led) return {leader_shard};
  std::vector<std::uint16_t> shards(leader_shard + 1);
  std::iota(shards.begin(), shards.end(), std::uint16_t{0});
  return shards;
}

}  // namespace

/// What one step finds, and does.
struct ShardClaim::Step {
  std::vector<shard_tables::HostRow> dead;
  std::vector<std::string> living;
  Owners owners;  ///< as the table says, then as it should be
  Shards given_back, taken;
  std::vector<std::uint64_t> generations;  ///< of what was taken
  bool waits = false;                      ///< something is still another's
};

ShardClaim::ShardClaim(DatabaseConfig config, Clock& clock, Logger logger, CommitHook* hook)
    : config_(std::move(config)),
      clock_(clock),
      logger_(std::move(logger)),
      hook_(hook),
      shards_(shards_of(config_.sharing)),
      due_(clock.now()) {}

std::uint64_t ShardClaim::generation(std::uint16_t shard) const {
  // Where a store is led, its rows are everybody's; only leading is owned.
  if (shard < leader_shard && config_.sharing == Sharing::led) return 1;
  return shard < shard_count ? generations_[shard].load(std::memory_order_acquire) : 0;
}

std::string ShardClaim::owner(std::uint16_t shard) const {
  const std::lock_guard lock(owners_mutex_);
  return shard < shard_count ? owners_[shard] : std::string();
}

void ShardClaim::guard(SociSession& session) {
  take_store(session, config_, AdvisoryLock::Mode::shared);
  take_host_name(session);
}

/// A name is one process' at a time: two of the same name would take each other's word for their own.
void ShardClaim::take_host_name(SociSession& session) {
  const AdvisoryLock lock = lock_of_host(config_.host);
  if (lock.try_take(session)) return;
  const auto holder = lock.find_holder(session);
  const std::int64_t pid = holder ? holder->pid : 0;
  // At the very first start there is no table yet.
  if (session.find<std::int64_t>("SELECT CASE WHEN to_regclass('bp_hosts') IS NULL THEN 0 ELSE 1 END") == 1) {
    for (const shard_tables::HostRow& row : shard_tables::list_hosts(session)) {
      // Left behind by a machine that vanished, or by a process that was paused: what it had is to be ours.
      if (row.host == config_.host && row.pid == pid && row.age_ms > ms(config_.times.takeover))
        lock.end_holder(session, pid);
    }
  }
  throw Failure(
      unavailable("store_in_use", "another process that calls itself host '" + config_.host + "' has schema '" +
                                      config_.schema + "' open (server process " + std::to_string(pid) +
                                      "): give each host a name of its own, or wait until that one has ended"));
}

void ShardClaim::begin(SociSession& session) {
  // Told first, so that nobody takes the locks that follow for those of a stranger.
  in_transaction(session, [&] { shard_tables::note_host(session, config_.host); });
  step(session);
}

bool ShardClaim::lives(const shard_tables::HostRow& row) {
  if (row.host == config_.host) return true;
  const Instant now = clock_.now();
  auto [it, is_new] = watched_.try_emplace(row.host);
  Watched& watched = it->second;
  if (is_new || watched.seen_ms != row.seen_ms) watched = {row.seen_ms, now, 0};
  ++watched.looks;
  if (!row.connected) return row.age_ms < absent_heartbeats * ms(config_.times.heartbeat);
  return row.age_ms < ms(config_.times.takeover) || now - watched.since < config_.times.takeover ||
         watched.looks < looks_before_judging;
}

void ShardClaim::look(SociSession& session, Step& step) {
  std::set<std::string> known;
  for (shard_tables::HostRow& row : shard_tables::list_hosts(session)) {
    known.insert(row.host);
    if (lives(row)) step.living.push_back(row.host);
    else step.dead.push_back(std::move(row));
  }
  std::erase_if(watched_, [&](const auto& entry) { return !known.contains(entry.first); });
  for (shard_tables::ShardRow& row : shard_tables::list_shards(session)) {
    if (row.shard < shard_count) step.owners[row.shard] = std::move(row.host);
  }
}

/// The lanes are spread by their number; the leader is whoever led, or the last by name: those that are first have the
/// one lane more.
void ShardClaim::plan(Step& step) {
  if (config_.sharing == Sharing::sharded) {
    const auto lanes = plan_shards(step.living, std::span(step.owners).first(leader_shard));
    std::ranges::copy(lanes, step.owners.begin());
  }
  std::string& leader = step.owners[leader_shard];
  if (std::ranges::find(step.living, leader) == step.living.end()) leader = std::ranges::max(step.living);
}

/// Ends the sessions of those who stand still, and forgets those who have none. The locks are free some moments later.
void ShardClaim::bury(SociSession& session, const Step& step) {
  for (const shard_tables::HostRow& row : step.dead) {
    if (!row.connected) {
      shard_tables::delete_host(session, row);
      continue;
    }
    logger_.warning("ending the session of a host that stands still",
                    {{"schema", config_.schema}, {"host", row.host}, {"silent_ms", row.age_ms}});
    lock_of_host(row.host).end_holder(session, row.pid);
  }
}

void ShardClaim::take(SociSession& session, Step& step) {
  for (const std::uint16_t shard : shards_) {
    if (step.owners[shard] != config_.host || owns(shard)) continue;
    if (lock_of(shard).try_take(session)) step.taken.push_back(shard);
    else step.waits = true;
  }
  for (const std::uint16_t shard : step.taken)
    step.generations.push_back(shard_tables::take_shard(session, shard, config_.host));
  if (hook_ != nullptr && !step.taken.empty()) hook_->taken(session, step.taken);
}

void ShardClaim::step(SociSession& session) {
  Step step;
  in_transaction(session, [&] {
    shard_tables::note_host(session, config_.host);
    look(session, step);
    plan(step);
    for (const std::uint16_t shard : shards_) {
      if (!owns(shard) || step.owners[shard] == config_.host) continue;
      // From here on work that builds on what this process knows of the shard is refused: also what is queued already.
      generations_[shard].store(0, std::memory_order_release);
      shard_tables::leave_shard(session, shard, step.owners[shard]);
      step.given_back.push_back(shard);
    }
    if (hook_ != nullptr && !step.given_back.empty()) hook_->giving_back(session, step.given_back);
    bury(session, step);
    take(session, step);
  });
  for (const std::uint16_t shard : step.given_back) lock_of(shard).give_back(session);
  leave_memory(step.given_back);
  {
    const std::lock_guard lock(owners_mutex_);
    owners_ = step.owners;
  }
  for (std::size_t i = 0; i < step.taken.size(); ++i)
    generations_[step.taken[i]].store(step.generations[i], std::memory_order_release);
  if (!step.taken.empty() || !step.given_back.empty()) {
    logger_.info("shards have moved", {{"schema", config_.schema},
                                       {"taken", step.taken.size()},
                                       {"given_back", step.given_back.size()},
                                       {"hosts", step.living.size()}});
  }
  due_ = clock_.now() + config_.times.heartbeat / (step.waits ? looks_a_heartbeat : 1);
}

void ShardClaim::leave_memory(const Shards& shards) noexcept {
  if (hook_ != nullptr && !shards.empty()) hook_->left(shards);
}

void ShardClaim::lost() noexcept {
  for (const std::uint16_t shard : shards_) generations_[shard].store(0, std::memory_order_release);
  leave_memory(shards_);
  due_ = clock_.now();
}

void ShardClaim::give_back(SociSession& session) {
  Shards owned;
  for (const std::uint16_t shard : shards_) {
    if (generations_[shard].exchange(0, std::memory_order_acq_rel) != 0) owned.push_back(shard);
  }
  in_transaction(session, [&] {
    if (hook_ != nullptr && !owned.empty()) hook_->giving_back(session, owned);
    for (const std::uint16_t shard : owned) shard_tables::leave_shard(session, shard, {});
    shard_tables::delete_host(session, config_.host);
  });
  leave_memory(owned);
}

std::unique_ptr<Claim> make_claim(const DatabaseConfig& config, Clock& clock, Logger logger, CommitHook* hook) {
  if (config.engine == Engine::sqlite || config.guest) return nullptr;
  if (config.sharing == Sharing::exclusive || config.host.empty())
    return std::make_unique<ExclusiveClaim>(config, clock, hook);
  return std::make_unique<ShardClaim>(config, clock, std::move(logger), hook);
}

}  // namespace backplane::storage
