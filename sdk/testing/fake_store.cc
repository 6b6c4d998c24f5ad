#include "fake_store.h"

#include <utility>

namespace backplane::testing {

FakeStore::FakeStore() = default;
FakeStore::~FakeStore() = default;

void FakeStore::fail_writes(Error error, std::size_t count, std::size_t skip) {
  const std::lock_guard lock(mutex_);
  error_ = std::move(error);
  failures_ = count;
  skip_ = skip;
}

void FakeStore::hold_writer() {
  const std::lock_guard lock(mutex_);
  held_ = true;
}

void FakeStore::release_writer() {
  const std::lock_guard lock(mutex_);
  held_ = false;
  released_.notify_all();
}

Result<void> FakeStore::outcome(Result<void> result) {
  std::unique_lock lock(mutex_);
  released_.wait(lock, [this] { return !held_; });
  if (!result.ok()) return result;
  if (skip_ > 0) {
    --skip_;
    return result;
  }
  if (failures_ == 0) return result;
  --failures_;
  return error_;
}

void FakeStore::submit(WriteWork work, Done done, std::shared_ptr<storage::Chain> chain) {
  if (!store_) return done(unavailable("storage", "the store is not open"));
  store_->submit([this, work = std::move(work)](storage::Write& write) { return outcome(work(write)); },
                 std::move(done), std::move(chain));
}

Result<void> FakeStore::run_read(const std::function<void(storage::Session&)>& work) {
  if (!store_) return unavailable("storage", "the store is not open");
  return store_->read([&](storage::Session& session) { work(session); });
}

}  // namespace backplane::testing
