#include "routes/routes.h"
#include "routes/support.h"

namespace backplane::client_api {
namespace {

// Every version whose changes are served; what is not there is answered M_UNRECOGNIZED.
constexpr std::string_view versions =
    R"({"versions":["r0.6.1","v1.1","v1.2","v1.3","v1.4","v1.5","v1.6","v1.7","v1.8","v1.9","v1.10","v1.11","v1.12","v1.13","v1.14","v1.15","v1.16"],"unstable_features":{}})";

constexpr std::string_view page_begin =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Backplane</title>"
    "<style>body{font:16px/1.5 sans-serif;max-width:40em;margin:3em auto;padding:0 "
    "1em}code{background:#eee;padding:.1em .3em}</style>"
    "</head><body><h1>Backplane is running</h1><p>This is the Matrix homeserver of <code>";
constexpr std::string_view page_middle =
    "</code>.</p><h2>Point a client at it</h2><p>In Element, choose <em>Sign in</em>, edit the homeserver, and enter "
    "<code>";
constexpr std::string_view page_end =
    "</code>.</p><h2>Make an account</h2><p>On the machine that it runs on: <code>backplane users create NAME</code>. "
    "Registration by clients is a matter of the option <code>registration</code> of the plugin "
    "<code>user_api</code>.</p></body></html>\n";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<') out += "&lt;";
    else if (c == '&') out += "&amp;";
    else if (c == '>') out += "&gt;";
    else out += c;
  }
  return out;
}

http::Response well_known(const Components& c) {
  std::string body;
  json::Writer out(body);
  out.begin_object().key("m.homeserver").begin_object().member("base_url", c.host.public_base_url()).end_object();
  if (!c.settings.identity_server.empty())
    out.key("m.identity_server").begin_object().member("base_url", c.settings.identity_server).end_object();
  out.end_object();
  return http::Response::json(std::move(body));
}

Result<http::Response> capabilities(const Components& c, const http::Request& request) {
  BACKPLANE_TRY(versions_known, c.rooms.get_room_versions(api::context_of(request), {}));
  std::string body;
  json::Writer out(body);
  out.begin_object().key("capabilities").begin_object();
  out.key("m.change_password").begin_object().member("enabled", true).end_object();
  out.key("m.set_displayname").begin_object().member("enabled", true).end_object();
  out.key("m.set_avatar_url").begin_object().member("enabled", true).end_object();
  out.key("m.profile_fields").begin_object().member("enabled", true).end_object();
  out.key("m.3pid_changes").begin_object().member("enabled", false).end_object();
  out.key("m.get_login_token").begin_object().member("enabled", c.settings.token_login).end_object();
  out.key("m.room_versions")
      .begin_object()
      .member("default", versions_known.default_version)
      .key("available")
      .begin_object();
  for (const std::string& version : versions_known.stable) out.member(version, "stable");
  out.end_object().end_object().end_object().end_object();
  return http::Response::json(std::move(body));
}

}  // namespace

void add_discovery_routes(http::Routes& routes, Components& c) {
  using http::Method;
  routes.add(Method::get, "/", public_route, [&c](const http::Request&) -> Result<http::Response> {
    return http::Response::text("text/html; charset=utf-8",
                                std::string(page_begin) + escaped(c.host.server_name()) + std::string(page_middle) +
                                    escaped(c.host.public_base_url()) + std::string(page_end));
  });
  routes.add(Method::get, "/_matrix/client/versions", public_route, [](const http::Request&) -> Result<http::Response> {
    return http::Response::json(std::string(versions));
  });
  routes.add(Method::get, "/.well-known/matrix/client", public_route,
             [&c](const http::Request&) -> Result<http::Response> { return well_known(c); });
  routes.add(Method::get, "/_matrix/client/v3|r0/capabilities", read_route,
             [&c](const http::Request& request) { return capabilities(c, request); });
}

}  // namespace backplane::client_api
