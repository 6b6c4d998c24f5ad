// GET /pushrules/
#include "routes/routes.h"
#include "routes/support.h"

namespace backplane::client_api {
namespace {

// TODO: user_api will own push rules. Clients (matrix-js-sdk, Element) do not begin to sync before they have got some;
// those of the specification they know themselves, and add what is missing.
constexpr std::string_view no_rules = R"({"content":[],"override":[],"room":[],"sender":[],"underride":[]})";

}  // namespace

void add_push_rule_routes(http::Routes& routes, Components&) {
  using http::Method;
  const std::string all = R"({"global":)" + std::string(no_rules) + "}";
  routes.add(Method::get, "/_matrix/client/v3|r0/pushrules/", read_route,
             [all](const http::Request&) -> Result<http::Response> { return http::Response::json(all); });
  routes.add(
      Method::get, "/_matrix/client/v3|r0/pushrules/global/", read_route,
      [](const http::Request&) -> Result<http::Response> { return http::Response::json(std::string(no_rules)); });
}

}  // namespace backplane::client_api
