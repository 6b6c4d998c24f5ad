#include "auth/password_auth.h"

namespace backplane::client_api {
namespace {

/// The stage names the user again (`identifier`, or `user` of older clients): it must be the one who asks.
bool names_another(json::View auth, const UserId& user) {
  std::optional<std::string_view> named = auth.find_string("user");
  if (const auto identifier = auth.find("identifier")) named = identifier->find_string("user");
  return named && *named != user.view() && *named != matrix::localpart(user);
}

}  // namespace

AuthOutcome check_password(Components& c, const http::Request& request, json::View body, const std::string& endpoint) {
  const api::Session& session = api::session_of(request);
  // Another user's password is not a stage that failed: the request as a whole is refused.
  if (const auto auth = body.find("auth"); auth && names_another(*auth, session.user)) {
    return {false, http::Response::error(denied("", "another user's password does not help here")), {}};
  }
  const InteractiveAuth::Stages stages{{"m.login.password", [&](json::View auth) -> Result<std::string> {
    BACKPLANE_TRY(password, auth.get_string("password"));
    BACKPLANE_CHECK(c.users.verify_password(api::context_of(request), {session.user, std::string(password), request.remote_address}));
    return std::string();
  }}};
  return c.interactive_auth.check(body, {{"m.login.password"}}, stages, endpoint + " " + session.user.str());
}

}  // namespace backplane::client_api
