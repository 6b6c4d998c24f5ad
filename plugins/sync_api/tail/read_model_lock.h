// The read model's mutex, which is never held across a call to another component.
#pragma once

#include "backplane/api/method.h"
#include "tail/read_model.h"

namespace backplane::sync_api {

class ReadModel::Lock {
 public:
  explicit Lock(const ReadModel& model) : no_calls_("sync_api's read model"), lock_(model.mutex_) {}

 private:
  api::NoCalls no_calls_;
  std::lock_guard<std::mutex> lock_;
};

/// Users whom a batch of records concerns, and how far the index was when it came.
struct ReadModel::Woken {
  log::Positions indexed;
  std::set<UserStream*> users;
};

}  // namespace backplane::sync_api
