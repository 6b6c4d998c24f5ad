// Who is behind a request: the session that its access token belongs to. TokenAuthenticator is what tier-1 plugins
// give to their routes: it asks user_api, keeps answers, and drops them when the topic `sessions` says so. It never
// answers from what it keeps unless it has followed that topic to its head.
#pragma once

#include <memory>

#include "backplane/api/context.h"
#include "backplane/api/user_api.h"
#include "backplane/base/export.h"
#include "backplane/http/routes.h"
#include "backplane/matrix/ids.h"
#include "backplane/plugin/plugin.h"

namespace backplane::api {

struct BACKPLANE_API Session : http::Identity {
  ~Session() override;
  UserId user;
  DeviceId device;
  bool guest = false;
  bool admin = false;
  std::int64_t expires_ms = 0;  ///< wall clock; 0: never
};

/// The session of a request whose route asked for one (an assertion where it did not).
inline const Session& session_of(const http::Request& request) {
  return static_cast<const Session&>(*request.identity);
}

/// The context of the calls that a request causes.
inline CallContext context_of(const http::Request& request) {
  return CallContext{.deadline = request.deadline, .request_id = request.id};
}

class BACKPLANE_API TokenAuthenticator : public http::Authenticator {
 public:
  /// To be made in wire(); subscribes to `sessions`. The interface and the host must outlive it.
  TokenAuthenticator(plugin::Host& host, plugin::Wiring& wiring, UserApi& user_api);
  ~TokenAuthenticator() override;
  Result<std::shared_ptr<const http::Identity>> authenticate(const http::Request& request,
                                                             http::Authentication level) override;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace backplane::api
