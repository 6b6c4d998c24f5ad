#include <algorithm>
#include <array>

#include "routes/routes.h"
#include "routes/support.h"

namespace backplane::client_api {
namespace {

// Client-Server API, "Client Config": these belong to the server.
constexpr std::array<std::string_view, 2> reserved{"m.fully_read", "m.push_rules"};

Result<RoomId> room_of(const http::Request& request, bool in_room) {
  if (!in_room) return RoomId();
  return room_parameter(request);
}

Result<http::Response> get(Components& c, const http::Request& request, bool in_room) {
  BACKPLANE_TRY(user, own_user(request));
  BACKPLANE_TRY(room, room_of(request, in_room));
  BACKPLANE_TRY(
      data, c.users.get_account_data(api::context_of(request), {user, room, std::string(request.parameter("type"))}));
  return http::Response::json(std::move(data.content.text));
}

Result<http::Response> set(Components& c, const http::Request& request, bool in_room) {
  BACKPLANE_TRY(user, own_user(request));
  BACKPLANE_TRY(room, room_of(request, in_room));
  const std::string_view type = request.parameter("type");
  if (std::find(reserved.begin(), reserved.end(), type) != reserved.end()) {
    return Error(ErrorCode::invalid, "wrong_method",
                 "account data of type " + std::string(type) + " is set by another endpoint");
  }
  BACKPLANE_TRY(document, request.json_body());
  BACKPLANE_CHECK(c.users.set_account_data(api::context_of(request),
                                           {user, room, std::string(type), json::Raw{document.root().canonical()}}));
  return http::Response::empty_object();
}

Result<http::Response> list_tags(Components& c, const http::Request& request) {
  BACKPLANE_TRY(user, own_user(request));
  BACKPLANE_TRY(room, room_parameter(request));
  const auto data = c.users.get_account_data(api::context_of(request), {user, room, "m.tag"});
  if (!data && data.error().code != ErrorCode::not_found) return data.error();
  return http::Response::json(data ? data->content.text : R"({"tags":{}})");
}

Result<http::Response> change_tag(Components& c, const http::Request& request, bool remove) {
  BACKPLANE_TRY(user, own_user(request));
  BACKPLANE_TRY(room, room_parameter(request));
  api::ChangeTagRequest change{user, room, std::string(request.parameter("tag")), {}};
  if (!remove) {
    BACKPLANE_TRY(document, request.json_body());
    change.content.text = document.root().canonical();
  }
  BACKPLANE_CHECK(c.users.change_tag(api::context_of(request), change));
  return http::Response::empty_object();
}

}  // namespace

void add_account_data_routes(http::Routes& routes, Components& c) {
  using http::Method;
  for (const bool in_room : {false, true}) {
    const std::string pattern = std::string("/_matrix/client/v3|r0/user/{userId}") +
                                (in_room ? "/rooms/{roomId}" : "") + "/account_data/{type}";
    routes.add(Method::get, pattern, read_route, [&c, in_room](const http::Request& r) { return get(c, r, in_room); });
    routes.add(Method::put, pattern, write_route, [&c, in_room](const http::Request& r) { return set(c, r, in_room); });
  }
  constexpr std::string_view tags = "/_matrix/client/v3|r0/user/{userId}/rooms/{roomId}/tags";
  const std::string tag = std::string(tags) + "/{tag}";
  routes.add(Method::get, tags, read_route, [&c](const http::Request& r) { return list_tags(c, r); });
  routes.add(Method::put, tag, write_route, [&c](const http::Request& r) { return change_tag(c, r, false); });
  routes.add(Method::delete_, tag, write_route, [&c](const http::Request& r) { return change_tag(c, r, true); });
}

}  // namespace backplane::client_api
