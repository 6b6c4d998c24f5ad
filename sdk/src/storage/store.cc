// The parts of the storage interfaces that are no template, and the homes of their vtables.
#include "backplane/storage/store.h"

#include <condition_variable>
#include <mutex>

#include "backplane/storage/commit_hook.h"
#include "storage/work_scope.h"

namespace backplane::storage {

Failure::Failure(Error error) : std::runtime_error(error.text), error_(std::move(error)) {}
Failure::~Failure() = default;
Session::~Session() = default;
Write::~Write() = default;
Store::~Store() = default;
CommitHook::~CommitHook() = default;
void CommitHook::taken(Session&, std::span<const std::uint16_t>) {}
void CommitHook::giving_back(Session&, std::span<const std::uint16_t>) {}
void CommitHook::left(std::span<const std::uint16_t>) {}

Result<void> Store::run_write(WriteWork work, std::shared_ptr<Chain> chain) {
  if (!WorkScope::may_wait("Store::write"))
    return internal_error("Store::write was called from inside work, or from its completion");
  // On this thread's stack: a caller that waits costs no allocation (the function below holds one pointer).
  struct Wait {
    std::mutex mutex;
    std::condition_variable done;
    bool finished = false;
    Result<void> result;
  } wait;
  submit(
      std::move(work),
      [&wait](Result<void> result) {
        // Notified under the lock: once this thread sees `finished`, the writer no longer touches `wait`.
        const std::lock_guard lock(wait.mutex);
        wait.result = std::move(result);
        wait.finished = true;
        wait.done.notify_one();
      },
      std::move(chain));
  std::unique_lock lock(wait.mutex);
  wait.done.wait(lock, [&] { return wait.finished; });
  return std::move(wait.result);
}

}  // namespace backplane::storage
