#include "storage/group_commit.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "storage/work_scope.h"

namespace backplane::storage {
namespace {

constexpr std::string_view owned_shards_help =
    "Shards of the database that this process owns (16 lanes, and the leader's).";

}  // namespace

std::unique_ptr<GroupCommit::Measures> GroupCommit::register_measures(Metrics* metrics) {
  if (metrics == nullptr) return nullptr;
  return std::make_unique<Measures>(Measures{
      metrics->counter("store_commits", "Durable commits of the database."),
      metrics->counter("store_pieces", "Pieces of work that the database's writer was given."),
      metrics->counter("store_failed_pieces", "Pieces of work that failed and were undone."),
      metrics->gauge("store_batch_size", "Pieces of work in the last commit."),
      metrics->gauge("store_queue_length", "Pieces of work that wait for the writer."),
      metrics->histogram("store_commit_seconds", "Time of a commit, without the work in it."),
      metrics->histogram("store_write_seconds", "Time from queueing a piece of work to its commit."),
  });
}

GroupCommit::GroupCommit(Sizes sizes, Connect connect, std::unique_ptr<SociSession> writer,
                         std::unique_ptr<Claim> claim, Clock& clock, Metrics* metrics, Logger logger, CommitHook* hook)
    : max_batch_(std::max<std::size_t>(sizes.max_batch, 1)),
      clock_(clock),
      logger_(std::move(logger)),
      measures_(register_measures(metrics)),
      readers_(connect, std::max<std::size_t>(sizes.read_sessions, 1)),
      claim_(std::move(claim)),
      next_step_(claim_ ? claim_->due() : std::nullopt),
      owned_shards_(claim_ && metrics != nullptr ? &metrics->gauge("store_owned_shards", owned_shards_help) : nullptr),
      transaction_(connect, std::move(writer), claim_.get(), clock, hook),
      writer_([this] { run(); }) {}

GroupCommit::~GroupCommit() { stop(); }

void GroupCommit::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    queued_.notify_one();
  }
  const std::lock_guard lock(join_);
  if (writer_.joinable()) writer_.join();
  readers_.stop();
}

Result<void> GroupCommit::run_read(const std::function<void(Session&)>& work) {
  if (!WorkScope::may_use("Store::read")) return internal_error("Store::read was called from inside work");
  return readers_.run(work);
}

void GroupCommit::submit(WriteWork work, Done done, std::shared_ptr<Chain> chain) {
  if (!WorkScope::may_use("Store::submit")) return done(internal_error("Store::submit was called from inside work"));
  const Instant now = measures_ != nullptr ? clock_.now() : Instant{};
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) {
      queue_.push_back(Piece{std::move(work), std::move(done), std::move(chain), now, {}, false});
      if (writer_waits_) queued_.notify_one();
      return;
    }
  }
  done(unavailable("stopped", "the store has stopped"));
}

void GroupCommit::run() {
  if (claim_ != nullptr) measure_claim();
  while (wait_for_pieces()) {
    // What is queued while this batch runs joins it: the longer a commit takes, the more share the next one.
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      run_piece(batch_[i]);
      if (i + 1 == batch_.size() && batch_.size() < max_batch_) take_pieces();
    }
    commit();
    complete();
    if (claim_ != nullptr) look_after_claim();
  }
  if (claim_ != nullptr) transaction_.close();
}

void GroupCommit::look_after_claim() {
  constexpr Duration pause_after_failure = std::chrono::milliseconds(100);
  // Sooner than it said the last time, when the connection was lost meanwhile.
  if (const auto due = claim_->due(); due && (!next_step_ || *due < *next_step_)) next_step_ = due;
  if (!next_step_ || clock_.now() < *next_step_) return;
  const auto made = transaction_.step();
  next_step_ = made ? claim_->due() : clock_.now() + pause_after_failure;
  measure_claim();
  if (made.ok() != away_) return;
  away_ = !made.ok();
  if (away_) logger_.error("lost the database", {{"reason", made.error().reason}, {"text", made.error().text}});
  else logger_.info("the database is back");
}

void GroupCommit::measure_claim() {
  if (owned_shards_ == nullptr) return;
  owned_shards_->set(
      std::ranges::count_if(all_shards, [this](std::uint16_t shard) { return claim_->ownership().owns(shard); }));
}

bool GroupCommit::wait_for_pieces() {
  {
    std::unique_lock lock(mutex_);
    writer_waits_ = true;
    const auto woken = [&] { return stopping_ || !queue_.empty(); };
    if (next_step_) clock_.wait_until(queued_, lock, *next_step_, woken);
    else queued_.wait(lock, woken);
    writer_waits_ = false;
    if (queue_.empty()) return !stopping_;
  }
  take_pieces();
  return true;
}

void GroupCommit::take_pieces() {
  const std::lock_guard lock(mutex_);
  if (queue_.empty()) return;
  const auto count = static_cast<std::ptrdiff_t>(std::min(queue_.size(), max_batch_ - batch_.size()));
  const auto end = queue_.begin() + count;
  batch_.insert(batch_.end(), std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  if (measures_ != nullptr) measures_->queue_length.set(static_cast<std::int64_t>(queue_.size()));
}

void GroupCommit::run_piece(Piece& piece) {
  if (piece.chain != nullptr && piece.chain->broken()) {
    piece.result = conflict("chain_broken", "the work that this builds on has failed");
    return;
  }
  if (auto begun = transaction_.begin(); !begun) {
    piece.result = std::move(begun);
    if (piece.chain != nullptr) piece.chain->break_off();
    return;
  }
  if (piece.chain != nullptr && !piece.chain->owned(ownership())) {
    piece.result = not_owner(ownership(), piece.chain->shard());
    piece.chain->break_off();
    return;
  }
  piece.result = transaction_.run(piece.work);
  if (const auto lost = transaction_.take_lost()) fail_held(*lost);
  piece.held = piece.result.ok();
  if (!piece.held && piece.chain != nullptr) piece.chain->break_off();
}

void GroupCommit::commit() {
  const std::size_t held = transaction_.held();
  const Instant begun = measures_ != nullptr ? clock_.now() : Instant{};
  if (const auto result = transaction_.commit(); !result.ok()) {
    fail_held(result.error());
    return;
  }
  if (held == 0) return;
  commits_.fetch_add(1, std::memory_order_relaxed);
  if (measures_ == nullptr) return;
  measures_->commits.add();
  measures_->batch_size.set(static_cast<std::int64_t>(held));
  measures_->commit_seconds.observe(clock_.now() - begun);
}

void GroupCommit::fail_held(const Error& error) {
  std::size_t failed = 0;
  for (Piece& piece : batch_) {
    if (!std::exchange(piece.held, false)) continue;
    piece.result = error;
    if (piece.chain != nullptr) piece.chain->break_off();
    ++failed;
  }
  logger_.error("lost a transaction", {{"pieces", failed}, {"reason", error.reason}, {"text", error.text}});
}

void GroupCommit::complete() {
  const WorkScope scope(WorkScope::Kind::completion);
  const Instant now = measures_ != nullptr ? clock_.now() : Instant{};
  for (Piece& piece : batch_) {
    if (measures_ != nullptr) {
      measures_->pieces.add();
      if (!piece.result.ok()) measures_->failed_pieces.add();
      measures_->write_seconds.observe(now - piece.queued);
    }
    try {
      if (piece.done) piece.done(std::move(piece.result));
    } catch (const std::exception& exception) {
      logger_.error("completion of a write threw", {{"text", exception.what()}});
    } catch (...) {
      logger_.error("completion of a write threw");
    }
  }
  batch_.clear();
}

}  // namespace backplane::storage
