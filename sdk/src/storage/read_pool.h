// The read sessions of a store: opened when first needed, at most so many, handed to one thread at a time. Few of
// them, because each has a page cache of its own.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "backplane/base/result.h"
#include "storage/connect.h"

namespace backplane::storage {

/// Any thread.
class ReadPool {
 public:
  ReadPool(Connect connect, std::size_t sessions) : connect_(std::move(connect)), free_(sessions) {}
  /// Runs the work in a read transaction; waits while all sessions are in use. Errors: as Store::read.
  Result<void> run(const std::function<void(Session&)>& work);
  /// Refuses what comes from now on, and waits for those inside.
  void stop();

 private:
  /// Begins a transaction, with a new session when there is none or it was lost. Throws Failure.
  void begin(std::unique_ptr<SociSession>& session) const;

  const Connect connect_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<SociSession>> idle_;
  std::size_t free_;  ///< how many may be taken
  std::size_t taken_ = 0;
  bool stopped_ = false;
};

}  // namespace backplane::storage
