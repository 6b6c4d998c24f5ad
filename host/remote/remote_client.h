// The calling end of internal calls: a pool of connections to one other host. Blocking calls use the caller's thread;
// deferred ones a pool of their own. Any thread; outlives every interface that is bound to it.
#pragma once

#include <memory>
#include <string>

#include "backplane/api/method.h"
#include "backplane/base/clock.h"
#include "backplane/base/executor.h"

namespace backplane::host {

class RemoteClient {
 public:
  /// `url` of the other host's internal listener, such as http://10.0.0.2:8010. `deferred` runs deferred calls.
  RemoteClient(std::string url, std::string shared_secret, Clock& clock, Executor& deferred);
  ~RemoteClient();
  RemoteClient(const RemoteClient&) = delete;
  RemoteClient& operator=(const RemoteClient&) = delete;

  /// Every method of the interface goes to the other host from now on.
  void bind(api::Interface& interface);

 private:
  struct Pool;
  const std::shared_ptr<Pool> pool_;
};

}  // namespace backplane::host
