#include "host/plugins/store_handle.h"

namespace backplane::host {
namespace {
Error not_open() { return unavailable("storage", "the database is not open"); }
}  // namespace

void StoreHandle::open(std::unique_ptr<storage::Store> store) { store_ = std::move(store); }
void StoreHandle::close() { store_.reset(); }

void StoreHandle::submit(WriteWork work, Done done, std::shared_ptr<storage::Chain> chain) {
  if (store_ == nullptr) return done(not_open());
  store_->submit(std::move(work), std::move(done), std::move(chain));
}

const storage::Ownership& StoreHandle::ownership() const {
  return store_ == nullptr ? storage::sole_ownership() : store_->ownership();
}

std::uint64_t StoreHandle::commits() const { return store_ == nullptr ? 0 : store_->commits(); }

void StoreHandle::stop() {
  if (store_ != nullptr) store_->stop();
}

Result<void> StoreHandle::run_read(const std::function<void(storage::Session&)>& work) {
  if (store_ == nullptr) return not_open();
  return store_->read([&](storage::Session& session) { work(session); });
}

}  // namespace backplane::host
