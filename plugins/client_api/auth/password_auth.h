// The stage that most protected endpoints ask for: the password of the user who asks.
#pragma once

#include "auth/interactive_auth.h"
#include "components.h"

namespace backplane::client_api {

/// Interactive authentication with m.login.password for `endpoint`.
AuthOutcome check_password(Components& components, const http::Request& request, json::View body,
                           const std::string& endpoint);

}  // namespace backplane::client_api
