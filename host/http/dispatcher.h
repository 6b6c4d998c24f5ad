// From the I/O threads to the plugins: a bounded pool of workers for each surface, so that a flood of one kind leaves
// the others alone, and on a worker in this order: has the deadline passed, who is it, does it come too often, the
// handler. Whatever a handler throws ends here.
#pragma once

#include <array>
#include <memory>

#include "backplane/base/executor.h"
#include "host/http/exchange.h"
#include "host/http/server_core.h"
#include "host/runtime/worker_pool.h"

namespace backplane::host {

class Dispatcher {
 public:
  explicit Dispatcher(std::shared_ptr<ServerCore> core);

  /// Any thread; does not block. The exchange gets its answer in any case.
  void dispatch(const Route& route, http::Request request, std::shared_ptr<Exchange> exchange);
  /// What was taken is finished.
  void stop();
  std::size_t queued(http::Surface surface) const { return pools_[static_cast<std::size_t>(surface)]->queued(); }
  std::size_t threads(http::Surface surface) const { return pools_[static_cast<std::size_t>(surface)]->threads(); }

 private:
  struct Job {
    const Route* route;
    http::Request request;
    std::shared_ptr<Exchange> exchange;
  };
  void run(Job& job);
  Result<void> admit(Job& job);
  void refuse(const Route& route, Exchange& exchange);

  const std::shared_ptr<ServerCore> core_;
  std::array<std::unique_ptr<WorkerPool>, 4> pools_;
};

}  // namespace backplane::host
