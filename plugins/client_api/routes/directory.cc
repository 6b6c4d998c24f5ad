#include <algorithm>

#include "routes/routes.h"
#include "routes/support.h"

namespace backplane::client_api {
namespace {

constexpr std::int64_t most_rooms = 500;

Result<RoomAlias> alias_parameter(const http::Request& request) {
  return matrix::parse_room_alias(request.parameter("roomAlias"));
}

Result<http::Response> find_alias(Components& c, const http::Request& request) {
  BACKPLANE_TRY(alias, alias_parameter(request));
  BACKPLANE_TRY(found, c.rooms.find_alias(api::context_of(request), {alias, {}, {}}));
  return http::Response::json(to_json(found));
}

Result<http::Response> set_alias(Components& c, const http::Request& request) {
  BACKPLANE_TRY(alias, alias_parameter(request));
  BACKPLANE_TRY(document, request.json_body());
  BACKPLANE_TRY(named, document.root().get_string("room_id"));
  BACKPLANE_TRY(room, matrix::parse_room_id(named));
  BACKPLANE_CHECK(c.rooms.set_alias(api::context_of(request), {alias, api::session_of(request).user, room}));
  return http::Response::empty_object();
}

Result<http::Response> delete_alias(Components& c, const http::Request& request) {
  BACKPLANE_TRY(alias, alias_parameter(request));
  // The room's owner is the one to ask, so that has to be known first.
  BACKPLANE_TRY(found, c.rooms.find_alias(api::context_of(request), {alias, {}, {}}));
  BACKPLANE_CHECK(
      c.rooms.delete_alias(api::context_of(request), {alias, api::session_of(request).user, found.room_id}));
  return http::Response::empty_object();
}

Result<http::Response> list_aliases(Components& c, const http::Request& request) {
  BACKPLANE_TRY(room, room_parameter(request));
  BACKPLANE_TRY(known, c.rooms.list_aliases(api::context_of(request), {room, api::session_of(request).user}));
  return http::Response::json(to_json(known));
}

Result<http::Response> get_visibility(Components& c, const http::Request& request) {
  BACKPLANE_TRY(room, room_parameter(request));
  BACKPLANE_TRY(found, c.rooms.find_published(api::context_of(request), {room, {}, false}));
  return http::Response::json(found.published ? R"({"visibility":"public"})" : R"({"visibility":"private"})");
}

Result<http::Response> set_visibility(Components& c, const http::Request& request) {
  BACKPLANE_TRY(room, room_parameter(request));
  BACKPLANE_TRY(document, request.json_body(true));
  BACKPLANE_TRY(visibility, document.root().get_optional_string("visibility"));
  if (visibility && *visibility != "public" && *visibility != "private")
    return invalid("invalid_param", "visibility is public or private");
  const bool published = !visibility || *visibility == "public";
  BACKPLANE_CHECK(c.rooms.set_published(api::context_of(request), {room, api::session_of(request).user, published}));
  return http::Response::empty_object();
}

Result<void> read_filter(json::View body, api::ListPublicRoomsRequest& list) {
  BACKPLANE_TRY(filter, body.get_optional_object("filter"));
  if (!filter) return {};
  BACKPLANE_TRY(term, filter->get_optional_string("generic_search_term"));
  list.search_term = term.value_or("");
  BACKPLANE_TRY(types, filter->get_optional_array("room_types"));
  if (!types) return {};
  for (const json::View type : types->elements()) {
    if (type.is_null()) list.room_types.emplace_back(std::nullopt);
    else if (const auto text = type.as_string()) list.room_types.emplace_back(std::string(*text));
    else return invalid("bad_json", "member 'room_types' is not a list of strings and null");
  }
  return {};
}

Result<http::Response> public_rooms(Components& c, const http::Request& request, bool with_body) {
  if (const auto server = request.query("server"); server && *server != c.host.server_name()) {
    return not_found("", "other servers' directories cannot be asked from here");
  }
  api::ListPublicRoomsRequest list;
  std::optional<std::int64_t> limit;
  if (with_body) {
    BACKPLANE_TRY(document, request.json_body(true));
    const json::View body = document.root();
    BACKPLANE_TRY(given, body.get_optional_integer("limit"));
    BACKPLANE_TRY(since, body.get_optional_string("since"));
    limit = given;
    list.since = since.value_or("");
    BACKPLANE_CHECK(read_filter(body, list));
  } else {
    BACKPLANE_TRY(given, request.query_integer("limit"));
    limit = given;
    list.since = request.query("since").value_or("");
  }
  if (limit && *limit <= 0) return invalid("invalid_param", "limit is a positive number");
  list.limit = static_cast<std::uint32_t>(std::min(limit.value_or(100), most_rooms));
  BACKPLANE_TRY(found, c.rooms.list_public_rooms(api::context_of(request), list));
  std::string body;
  json::Writer out(body);
  out.begin_object().key("chunk");
  write_json(out, found.chunk);
  if (!found.next_batch.empty()) out.member("next_batch", found.next_batch);
  if (!found.prev_batch.empty()) out.member("prev_batch", found.prev_batch);
  out.member("total_room_count_estimate", found.total_room_count_estimate).end_object();
  return http::Response::json(std::move(body));
}

}  // namespace

void add_directory_routes(http::Routes& routes, Components& c) {
  using http::Method;
  const std::string client = "/_matrix/client/v3|r0";
  routes.add(Method::get, client + "/directory/room/{roomAlias}", public_route,
             [&c](const http::Request& r) { return find_alias(c, r); });
  routes.add(Method::put, client + "/directory/room/{roomAlias}", write_route,
             [&c](const http::Request& r) { return set_alias(c, r); });
  routes.add(Method::delete_, client + "/directory/room/{roomAlias}", write_route,
             [&c](const http::Request& r) { return delete_alias(c, r); });
  routes.add(Method::get, client + "/rooms/{roomId}/aliases", read_route,
             [&c](const http::Request& r) { return list_aliases(c, r); });
  routes.add(Method::get, client + "/directory/list/room/{roomId}", public_route,
             [&c](const http::Request& r) { return get_visibility(c, r); });
  routes.add(Method::put, client + "/directory/list/room/{roomId}", write_route,
             [&c](const http::Request& r) { return set_visibility(c, r); });
  routes.add(Method::get, client + "/publicRooms", public_route,
             [&c](const http::Request& r) { return public_rooms(c, r, false); });
  routes.add(Method::post, client + "/publicRooms", write_route,
             [&c](const http::Request& r) { return public_rooms(c, r, true); });
}

}  // namespace backplane::client_api
