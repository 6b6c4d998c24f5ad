// The Store that a plugin gets in wire(), before the database is open. Everything goes to the real one once the host
// has opened it; before that, and after it was closed, it answers unavailable. Any thread.
#pragma once

#include <memory>

#include "backplane/storage/store.h"

namespace backplane::host {

class StoreHandle final : public storage::Store {
 public:
  /// Before any plugin starts.
  void open(std::unique_ptr<storage::Store> store);
  /// After every plugin has stopped: waits for what is queued.
  void close();

  void submit(WriteWork work, Done done, std::shared_ptr<storage::Chain> chain) override;
  const storage::Ownership& ownership() const override;
  std::uint64_t commits() const override;
  void stop() override;

 protected:
  Result<void> run_read(const std::function<void(storage::Session&)>& work) override;

 private:
  std::unique_ptr<storage::Store> store_;
};

}  // namespace backplane::host
