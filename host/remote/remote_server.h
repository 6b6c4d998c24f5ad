// The serving end of internal calls: interfaces that plugins of this process provide, for hosts that show the shared
// secret. A call by key is served only where its shard is owned. Calls that are made while another one is served run
// in pools of their own, one a depth (remote_call.h). Filled before the listener starts; then any thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "backplane/api/method.h"
#include "backplane/base/clock.h"
#include "backplane/base/logger.h"
#include "backplane/http/routes.h"
#include "backplane/storage/store.h"
#include "host/http/listener.h"
#include "host/remote/remote_call.h"
#include "host/runtime/worker_pool.h"

namespace backplane::host {

class RemoteServer final : public http::Authenticator {
 public:
  /// `shared_secret` is not empty: without one nothing is served. `max_threads` of the pool of each depth but the
  /// first, which is the listener's own.
  RemoteServer(std::string shared_secret, std::size_t max_threads, Clock& clock, Logger logger);
  ~RemoteServer() override;

  /// `store` says which shards may be changed here; nullptr: all of them.
  void serve(const api::Interface& interface, const storage::Store* store);
  /// Adds the route to the listener, which must not outlive this.
  Result<void> add_route(HttpServer& http);
  /// After the listener was drained: what was begun is finished.
  void stop();

  Result<std::shared_ptr<const http::Identity>> authenticate(const http::Request& request,
                                                             http::Authentication level) override;

 private:
  struct Served {
    const api::Interface* interface;
    const storage::Store* store;
    std::string fingerprint;
  };
  Executor* pool_of(const http::Request& request) const;
  void handle(const http::Request& request, const http::Responder& responder) const;
  Result<void> check_owner(const Served& served, const api::MethodBase& method, json::View request) const;

  const std::string secret_;
  Clock& clock_;
  std::array<std::unique_ptr<WorkerPool>, max_depth> deeper_;
  std::map<std::string, Served, std::less<>> interfaces_;
};

}  // namespace backplane::host
