#include "auth/password_auth.h"
#include "routes/routes.h"
#include "routes/support.h"

namespace backplane::client_api {
namespace {

http::Response whoami(const http::Request& request) {
  const api::Session& session = api::session_of(request);
  std::string body;
  json::Writer(body)
      .begin_object()
      .member("user_id", session.user.view())
      .member("device_id", session.device.view())
      .member("is_guest", session.guest)
      .end_object();
  return http::Response::json(std::move(body));
}

Result<http::Response> change_password(Components& c, const http::Request& request) {
  BACKPLANE_TRY(document, request.json_body());
  const json::View body = document.root();
  BACKPLANE_TRY(password, body.get_string("new_password"));
  BACKPLANE_TRY(logout, body.get_optional_boolean("logout_devices"));
  AuthOutcome outcome = check_password(c, request, body, "password");
  if (!outcome.done) return std::move(outcome.refusal);
  const api::Session& session = api::session_of(request);
  BACKPLANE_CHECK(c.users.change_password(
      api::context_of(request), {session.user, std::string(password), logout.value_or(true), session.device}));
  return http::Response::empty_object();
}

Result<http::Response> deactivate(Components& c, const http::Request& request) {
  BACKPLANE_TRY(document, request.json_body(true));
  const json::View body = document.root();
  BACKPLANE_TRY(erase, body.get_optional_boolean("erase"));
  AuthOutcome outcome = check_password(c, request, body, "deactivate");
  if (!outcome.done) return std::move(outcome.refusal);
  BACKPLANE_CHECK(c.users.deactivate(api::context_of(request), {api::session_of(request).user, erase.value_or(false)}));
  return http::Response::json(R"({"id_server_unbind_result":"no-support"})");
}

}  // namespace

void add_account_routes(http::Routes& routes, Components& c) {
  using http::Method;
  routes.add(Method::get, "/_matrix/client/v3|r0/account/whoami", guest_read_route,
             [](const http::Request& r) -> Result<http::Response> { return whoami(r); });
  routes.add(Method::post, "/_matrix/client/v3|r0/account/password", write_route,
             [&c](const http::Request& r) { return change_password(c, r); });
  routes.add(Method::post, "/_matrix/client/v3|r0/account/deactivate", write_route,
             [&c](const http::Request& r) { return deactivate(c, r); });
}

}  // namespace backplane::client_api
