// The serving end of internal calls: interfaces that plugins of this process provide, for hosts that show the shared
// secret. Filled before the listener starts; then any thread.
#pragma once

#include <map>
#include <string>

#include "backplane/api/method.h"
#include "backplane/base/clock.h"
#include "backplane/http/routes.h"
#include "host/http/listener.h"

namespace backplane::host {

class RemoteServer final : public http::Authenticator {
 public:
  /// `shared_secret` is not empty: without one nothing is served.
  RemoteServer(std::string shared_secret, Clock& clock) : secret_(std::move(shared_secret)), clock_(clock) {}

  void serve(const api::Interface& interface) { interfaces_[std::string(interface.id())] = &interface; }
  /// Adds the route to the listener, which must not outlive this.
  Result<void> add_route(HttpServer& http);

  Result<std::shared_ptr<const http::Identity>> authenticate(const http::Request& request, http::Authentication level) override;

 private:
  void handle(const http::Request& request, const http::Responder& responder) const;

  const std::string secret_;
  Clock& clock_;
  std::map<std::string, const api::Interface*, std::less<>> interfaces_;
};

}  // namespace backplane::host
