#include "profile_job/profile_job.h"
#include "routes/routes.h"
#include "routes/support.h"

namespace backplane::client_api {
namespace {

Result<http::Response> get_profile(Components& c, const http::Request& request) {
  BACKPLANE_TRY(user, user_parameter(request));
  BACKPLANE_TRY(profile, c.users.get_profile(api::context_of(request), {user}));
  std::string body;
  json::Writer out(body);
  out.begin_object();
  if (profile.displayname) out.member("displayname", *profile.displayname);
  if (profile.avatar_url) out.member("avatar_url", *profile.avatar_url);
  for (const auto& [name, value] : profile.other) out.raw_member(name, value.text);
  out.end_object();
  return http::Response::json(std::move(body));
}

Result<http::Response> get_field(Components& c, const http::Request& request) {
  BACKPLANE_TRY(user, user_parameter(request));
  BACKPLANE_TRY(profile, c.users.get_profile(api::context_of(request), {user}));
  const std::string name(request.parameter("keyName"));
  std::string body;
  json::Writer out(body);
  out.begin_object();
  const auto* text = name == "displayname"  ? &profile.displayname
                     : name == "avatar_url" ? &profile.avatar_url
                                            : nullptr;
  const auto other = profile.other.find(name);
  if (text != nullptr && *text) out.member(name, **text);
  else if (other != profile.other.end()) out.raw_member(name, other->second.text);
  else if (text == nullptr) return not_found("", "the profile has no field " + name);
  out.end_object();
  return http::Response::json(std::move(body));
}

/// `value` empty: removes the field.
Result<http::Response> change(Components& c, const http::Request& request, json::Raw value) {
  BACKPLANE_TRY(user, own_user(request));
  const std::string name(request.parameter("keyName"));
  BACKPLANE_CHECK(c.users.set_profile_field(api::context_of(request), {user, name, std::move(value)}));
  // Not only when this changed it: an earlier attempt may have ended between the change and the job.
  if (name == "displayname" || name == "avatar_url") {
    BACKPLANE_TRY(profile, c.users.get_profile(api::context_of(request), {user}));
    BACKPLANE_CHECK(c.profile_job.begin({user, profile.displayname, profile.avatar_url}, profile.version));
  }
  return http::Response::empty_object();
}

Result<http::Response> set_field(Components& c, const http::Request& request) {
  const std::string_view name = request.parameter("keyName");
  BACKPLANE_TRY(document, request.json_body());
  const auto value = document.root().find(name);
  if (!value) return invalid("missing_param", "the member '" + std::string(name) + "' is missing");
  const bool text = name == "displayname" || name == "avatar_url";
  if (text && value->is_null()) return change(c, request, {});
  if (text && !value->is_string()) return invalid("bad_json", "member '" + std::string(name) + "' is not a string");
  return change(c, request, json::Raw{value->canonical()});
}

}  // namespace

void add_profile_routes(http::Routes& routes, Components& c) {
  using http::Method;
  routes.add(Method::get, "/_matrix/client/v3|r0/profile/{userId}", public_route,
             [&c](const http::Request& r) { return get_profile(c, r); });
  routes.add(Method::get, "/_matrix/client/v3|r0/profile/{userId}/{keyName}", public_route,
             [&c](const http::Request& r) { return get_field(c, r); });
  routes.add(Method::put, "/_matrix/client/v3|r0/profile/{userId}/{keyName}", guest_write_route,
             [&c](const http::Request& r) { return set_field(c, r); });
  routes.add(Method::delete_, "/_matrix/client/v3|r0/profile/{userId}/{keyName}", guest_write_route,
             [&c](const http::Request& r) { return change(c, r, {}); });
}

}  // namespace backplane::client_api
