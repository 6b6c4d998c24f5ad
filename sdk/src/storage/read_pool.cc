#include "storage/read_pool.h"

#include <utility>

#include "storage/work_scope.h"

namespace backplane::storage {
namespace {

/// Ends a transaction; false when the session is of no use any more.
bool end(SociSession& session, bool well) noexcept {
  try {
    session.execute(well ? "COMMIT" : "ROLLBACK");
    return well || session.usable();
  } catch (...) {
    return false;
  }
}

}  // namespace

void ReadPool::begin(std::unique_ptr<SociSession>& session) const {
  if (session != nullptr) {
    try {
      session->execute(session->dialect().begin_read());
      return;
    } catch (const Failure&) {
      // Lost while it was idle. Nothing was read yet, so a new one will do.
      if (session->usable()) throw;
      session.reset();
    }
  }
  session = connect_(SessionUse::read);
  session->execute(session->dialect().begin_read());
}

Result<void> ReadPool::run(const std::function<void(Session&)>& work) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return stopped_ || free_ > 0; });
  if (stopped_) return unavailable("stopped", "the store has stopped");
  --free_;
  ++taken_;
  std::unique_ptr<SociSession> session;
  if (!idle_.empty()) {
    session = std::move(idle_.back());
    idle_.pop_back();
  }
  lock.unlock();

  Result<void> result;
  try {
    begin(session);
    const Working working;
    work(*session);
  } catch (...) {
    result = error_of_current_exception();
  }
  if (session != nullptr && !end(*session, result.ok())) session.reset();

  lock.lock();
  if (session != nullptr) idle_.push_back(std::move(session));
  ++free_;
  --taken_;
  // The same condition serves stop(), which must not be missed.
  if (stopped_) changed_.notify_all();
  else changed_.notify_one();
  return result;
}

void ReadPool::stop() {
  std::unique_lock lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
  changed_.wait(lock, [&] { return taken_ == 0; });
  idle_.clear();
}

}  // namespace backplane::storage
