// The store: one writer thread that runs all the work that waits in one transaction, commits, and completes the
// callers; so a thousand small writes cost a few fsyncs. Reads go to a pool of their own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "backplane/base/clock.h"
#include "backplane/base/logger.h"
#include "backplane/base/metrics.h"
#include "backplane/storage/store.h"
#include "storage/batch_transaction.h"
#include "storage/read_pool.h"

namespace backplane::storage {

class GroupCommit final : public Store {
 public:
  struct Sizes {
    std::size_t read_sessions;
    std::size_t max_batch;
  };
  /// `claim` is nullptr, or has begun on the session `writer`.
  GroupCommit(Sizes sizes, Connect connect, std::unique_ptr<SociSession> writer, std::unique_ptr<Claim> claim,
              Clock& clock, Metrics* metrics, Logger logger, CommitHook* hook);
  ~GroupCommit() override;

  void submit(WriteWork work, Done done, std::shared_ptr<Chain> chain) override;
  const Ownership& ownership() const override { return claim_ ? claim_->ownership() : sole_ownership(); }
  std::uint64_t commits() const override { return commits_.load(std::memory_order_relaxed); }
  void stop() override;

 protected:
  Result<void> run_read(const std::function<void(Session&)>& work) override;

 private:
  struct Piece {
    WriteWork work;
    Done done;
    std::shared_ptr<Chain> chain;
    Instant queued;
    Result<void> result;
    bool held = false;  ///< in the open transaction
  };
  struct Measures {
    Counter& commits;
    Counter& pieces;
    Counter& failed_pieces;
    Gauge& batch_size;
    Gauge& queue_length;
    Histogram& commit_seconds;
    Histogram& write_seconds;
  };
  static std::unique_ptr<Measures> register_measures(Metrics* metrics);

  void run();
  /// Takes what is queued; nothing, when it is time for the claim's next step. False when all is done.
  bool wait_for_pieces();
  void look_after_claim();
  void measure_claim();
  void take_pieces();
  void run_piece(Piece& piece);
  void commit();
  /// The pieces of the open transaction are undone.
  void fail_held(const Error& error);
  void complete();

  const std::size_t max_batch_;
  Clock& clock_;
  const Logger logger_;
  const std::unique_ptr<Measures> measures_;
  ReadPool readers_;
  std::atomic<std::uint64_t> commits_{0};

  std::mutex mutex_;
  std::condition_variable queued_;
  std::vector<Piece> queue_;
  bool writer_waits_ = false;
  bool stopping_ = false;

  // The writer's own.
  const std::unique_ptr<Claim> claim_;
  std::optional<Instant> next_step_;
  Gauge* const owned_shards_;
  bool away_ = false;  ///< told in the log
  BatchTransaction transaction_;
  std::vector<Piece> batch_;
  std::mutex join_;
  std::thread writer_;
};

}  // namespace backplane::storage
