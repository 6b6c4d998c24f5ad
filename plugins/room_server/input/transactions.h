// What requests with a transaction id came to, without asking the database for each: recent results are in memory, and
// a device whose first request here was new is trusted to send new ones. That is a guess: the table's primary key finds
// out when it is wrong, and the request is then tried again with a look at the database.
//
// Bounded in bytes. Any thread.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "backplane/base/cache.h"
#include "store.h"

namespace backplane::room_server {

class Transactions {
 public:
  using Result = std::shared_ptr<const TransactionResult>;

  /// Committed, and not too long ago; empty otherwise.
  Result find_recent(const std::string& transaction_key) { return recent_.find(transaction_key); }
  void add(const std::string& transaction_key, TransactionResult result) {
    const std::size_t bytes = 2 * transaction_key.size() + result.event_id.view().size() + 256;
    recent_.insert(transaction_key, std::make_shared<TransactionResult>(std::move(result)), bytes);
  }

  /// `device` names a device of a user.
  bool sends_new(const std::string& device) { return devices_.find(device) != nullptr; }
  void set_sends_new(const std::string& device, bool sends_new) {
    if (sends_new) devices_.insert(device, seen_, 2 * device.size() + 128);
    else devices_.erase(device);
  }

 private:
  BoundedCache<std::string, TransactionResult> recent_{4 * 1024 * 1024};
  BoundedCache<std::string, bool> devices_{1024 * 1024};
  const std::shared_ptr<const bool> seen_ = std::make_shared<bool>(true);
};

}  // namespace backplane::room_server
