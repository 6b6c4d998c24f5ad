#include "auth/interactive_auth.h"
#include "routes/routes.h"
#include "routes/support.h"

namespace backplane::client_api {
namespace {

constexpr std::string_view token_stage = "m.login.registration_token";
constexpr http::RouteOptions registration_route{http::Authentication::none, http::small_body, http::RateClass::registration};

std::vector<Flow> flows_of(const api::RegistrationRules& rules) {
  std::vector<Flow> flows;
  if (rules.open) flows.push_back({"m.login.dummy"});
  if (rules.token_required) flows.push_back({std::string(token_stage)});
  return flows;
}

Result<api::RegisterAccountRequest> read_account(json::View body) {
  api::RegisterAccountRequest account;
  BACKPLANE_TRY(username, body.get_optional_string("username"));
  BACKPLANE_TRY(password, body.get_optional_string("password"));
  BACKPLANE_TRY(device, body.get_optional_string("device_id"));
  BACKPLANE_TRY(name, body.get_optional_string("initial_device_display_name"));
  BACKPLANE_TRY(inhibit, body.get_optional_boolean("inhibit_login"));
  BACKPLANE_TRY(refresh, body.get_optional_boolean("refresh_token"));
  // Capitals are folded (Appendices, "User Identifiers": localparts are lower case).
  account.localpart = lower_case(username.value_or(""));
  if (password) account.password = *password;
  account.device_id = DeviceId(std::string(device.value_or("")));
  if (name) account.device_display_name = *name;
  account.inhibit_login = inhibit.value_or(false);
  account.refresh_token = refresh.value_or(false);
  return account;
}

Result<http::Response> register_account(Components& c, const http::Request& request) {
  const api::CallContext context = api::context_of(request);
  BACKPLANE_TRY(document, request.json_body(true));
  const json::View body = document.root();
  BACKPLANE_TRY(account, read_account(body));
  const std::string kind = request.query("kind").value_or("user");
  if (kind != "user" && kind != "guest") return invalid("invalid_param", "kind is user or guest");
  account.guest = kind == "guest";
  if (!account.guest) {
    BACKPLANE_TRY(rules, c.users.get_registration_rules(context, {}));
    const auto flows = flows_of(rules);
    if (flows.empty()) return denied("registration_disabled", "registration is closed on this server");
    // Before the stages, so that nobody does them for a name that cannot be had.
    if (!account.localpart.empty()) BACKPLANE_CHECK(c.users.check_localpart(context, {account.localpart}));
    const InteractiveAuth::Stages stages{
        {"m.login.dummy", dummy_stage},
        {std::string(token_stage), [&](json::View auth) -> Result<std::string> {
           BACKPLANE_TRY(token, auth.get_string("token"));
           BACKPLANE_TRY(checked, c.users.check_registration_token(context, {std::string(token)}));
           if (!checked.valid) return Error(ErrorCode::denied, "bad_registration_token", "the registration token is not valid");
           return std::string(token);
         }}};
    AuthOutcome outcome = c.interactive_auth.check(body, flows, stages, "register");
    if (!outcome.done) return std::move(outcome.refusal);
    account.registration_token = outcome.answers[std::string(token_stage)];
    if (!account.password) return invalid("missing_param", "a password is missing");
  }
  BACKPLANE_TRY(made, c.users.register_account(context, account));
  return http::Response::json(log_in_body(made, ServerName(c.host.server_name())));
}

Result<http::Response> check_available(Components& c, const http::Request& request) {
  const auto username = request.query("username");
  if (!username) return invalid("missing_param", "the parameter 'username' is missing");
  BACKPLANE_CHECK(c.users.check_localpart(api::context_of(request), {*username}));
  return http::Response::json(R"({"available":true})");
}

Result<http::Response> check_token(Components& c, const http::Request& request) {
  BACKPLANE_TRY(checked, c.users.check_registration_token(api::context_of(request), {request.query("token").value_or("")}));
  return http::Response::json(checked.valid ? R"({"valid":true})" : R"({"valid":false})");
}

}  // namespace

void add_registration_routes(http::Routes& routes, Components& c) {
  using http::Method;
  constexpr http::RouteOptions look_up{http::Authentication::none, http::no_body, http::RateClass::registration};
  routes.add(Method::post, "/_matrix/client/v3|r0/register", registration_route, [&c](const http::Request& r) { return register_account(c, r); });
  routes.add(Method::get, "/_matrix/client/v3|r0/register/available", look_up, [&c](const http::Request& r) { return check_available(c, r); });
  routes.add(Method::get, "/_matrix/client/v1/register/m.login.registration_token/validity", look_up,
             [&c](const http::Request& r) { return check_token(c, r); });
}

}  // namespace backplane::client_api
