// The Store that a plugin under test gets: a handle until its database is open, and a place for faults. Any thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>

#include "backplane/storage/store.h"

namespace backplane::testing {

class FakeStore final : public storage::Store {
 public:
  FakeStore();
  ~FakeStore() override;
  void open(std::unique_ptr<storage::Store> store) { store_ = std::move(store); }
  void close() { store_.reset(); }

  void fail_writes(Error error, std::size_t count, std::size_t skip);
  void hold_writer();
  void release_writer();

  void submit(WriteWork work, Done done, std::shared_ptr<storage::Chain> chain) override;
  const storage::Ownership& ownership() const override {
    return store_ ? store_->ownership() : storage::sole_ownership();
  }
  std::uint64_t commits() const override { return store_ ? store_->commits() : 0; }
  void stop() override { store_->stop(); }

 protected:
  Result<void> run_read(const std::function<void(storage::Session&)>& work) override;

 private:
  Result<void> outcome(Result<void> result);

  std::unique_ptr<storage::Store> store_;
  std::mutex mutex_;
  std::condition_variable released_;
  bool held_ = false;
  Error error_;
  std::size_t skip_ = 0, failures_ = 0;
};

}  // namespace backplane::testing
