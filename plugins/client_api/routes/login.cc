#include "auth/password_auth.h"
#include "routes/routes.h"
#include "routes/support.h"

namespace backplane::client_api {
namespace {

http::Response flows(const Components& c) {
  std::string body;
  json::Writer out(body);
  out.begin_object().key("flows").begin_array();
  if (c.settings.password_login) out.begin_object().member("type", "m.login.password").end_object();
  if (c.settings.token_login) out.begin_object().member("type", "m.login.token").member("get_login_token", true).end_object();
  out.end_array().end_object();
  return http::Response::json(std::move(body));
}

/// Client-Server API, "Identifier types"; `user` alone is what older clients send.
Result<std::string> user_of(json::View body) {
  BACKPLANE_TRY(identifier, body.get_optional_object("identifier"));
  if (!identifier) {
    BACKPLANE_TRY(user, body.get_string("user"));
    return std::string(user);
  }
  BACKPLANE_TRY(type, identifier->get_string("type"));
  if (type != "m.id.user") return invalid("unknown_identifier", "log-in by " + std::string(type) + " is not possible here");
  BACKPLANE_TRY(user, identifier->get_string("user"));
  return std::string(user);
}

Result<http::Response> log_in(Components& c, const http::Request& request) {
  BACKPLANE_TRY(document, request.json_body());
  const json::View body = document.root();
  BACKPLANE_TRY(type, body.get_string("type"));
  api::LogInRequest login;
  if (type == "m.login.password" && c.settings.password_login) {
    BACKPLANE_TRY(user, user_of(body));
    BACKPLANE_TRY(password, body.get_string("password"));
    login.user = user.starts_with('@') ? std::move(user) : lower_case(user);
    login.password = password;
  } else if (type == "m.login.token" && c.settings.token_login) {
    BACKPLANE_TRY(token, body.get_string("token"));
    login.login_token = token;
  } else {
    return invalid("bad_request", "log-in of type " + std::string(type) + " is not possible here");
  }
  BACKPLANE_TRY(device, body.get_optional_string("device_id"));
  BACKPLANE_TRY(name, body.get_optional_string("initial_device_display_name"));
  BACKPLANE_TRY(refresh, body.get_optional_boolean("refresh_token"));
  login.device_id = DeviceId(std::string(device.value_or("")));
  if (name) login.device_display_name = *name;
  login.refresh_token = refresh.value_or(false);
  login.remote_address = request.remote_address;
  BACKPLANE_TRY(answer, c.users.log_in(api::context_of(request), login));
  return http::Response::json(log_in_body(answer, ServerName(c.host.server_name())));
}

Result<http::Response> refresh(Components& c, const http::Request& request) {
  BACKPLANE_TRY(document, request.json_body());
  BACKPLANE_TRY(token, document.root().get_string("refresh_token"));
  BACKPLANE_TRY(answer, c.users.refresh(api::context_of(request), {std::string(token)}));
  std::string body;
  json::Writer out(body);
  out.begin_object().member("access_token", answer.access_token.view());
  if (answer.refresh_token) out.member("refresh_token", *answer.refresh_token);
  if (answer.expires_in_ms) out.member("expires_in_ms", *answer.expires_in_ms);
  out.end_object();
  return http::Response::json(std::move(body));
}

Result<http::Response> get_token(Components& c, const http::Request& request) {
  BACKPLANE_TRY(document, request.json_body(true));
  const api::Session& session = api::session_of(request);
  AuthOutcome outcome = check_password(c, request, document.root(), "get_token");
  if (!outcome.done) return std::move(outcome.refusal);
  BACKPLANE_TRY(made, c.users.create_login_token(api::context_of(request), {session.user}));
  return http::Response::json(to_json(made));
}

Result<http::Response> log_out(Components& c, const http::Request& request, bool all) {
  const api::Session& session = api::session_of(request);
  BACKPLANE_CHECK(c.users.delete_devices(api::context_of(request), {session.user, {session.device}, all, {}}));
  return http::Response::empty_object();
}

}  // namespace

void add_login_routes(http::Routes& routes, Components& c) {
  using http::Method;
  routes.add(Method::get, "/_matrix/client/v3|r0/login", public_route, [&c](const http::Request&) -> Result<http::Response> { return flows(c); });
  routes.add(Method::post, "/_matrix/client/v3|r0/login", login_route, [&c](const http::Request& r) { return log_in(c, r); });
  routes.add(Method::post, "/_matrix/client/v1/login/get_token", write_route, [&c](const http::Request& r) { return get_token(c, r); });
  routes.add(Method::post, "/_matrix/client/v3/refresh", login_route, [&c](const http::Request& r) { return refresh(c, r); });
  routes.add(Method::post, "/_matrix/client/v3|r0/logout", guest_write_route, [&c](const http::Request& r) { return log_out(c, r, false); });
  routes.add(Method::post, "/_matrix/client/v3|r0/logout/all", guest_write_route, [&c](const http::Request& r) { return log_out(c, r, true); });
}

}  // namespace backplane::client_api
