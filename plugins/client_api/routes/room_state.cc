#include "backplane/matrix/client_event.h"
#include "backplane/matrix/event.h"
#include "backplane/matrix/room_version.h"
#include "routes/routes.h"
#include "routes/support.h"

namespace backplane::client_api {
namespace {

Result<void> append_event(std::string& out, const api::EventBody& body) {
  const matrix::RoomVersion* version = matrix::find_room_version(body.room_version.view());
  if (version == nullptr) return internal_error("an event is of an unknown room version");
  matrix::append_client_event(out, matrix::Event::from_stored(body.event.text, body.event_id, *version), body.room_id.view());
  return {};
}

Result<http::Response> get_state(Components& c, const http::Request& request) {
  BACKPLANE_TRY(room, room_parameter(request));
  BACKPLANE_TRY(state, c.rooms.get_state(api::context_of(request), {room, api::session_of(request).user}));
  std::string body = "[";
  for (const api::EventBody& event : state.events) {
    if (body.size() > 1) body += ',';
    BACKPLANE_CHECK(append_event(body, event));
  }
  return http::Response::json(body + "]");
}

Result<http::Response> get_state_event(Components& c, const http::Request& request) {
  BACKPLANE_TRY(room, room_parameter(request));
  BACKPLANE_TRY(found, c.rooms.get_state_event(api::context_of(request), {room, api::session_of(request).user, std::string(request.parameter("eventType")),
                                                                        std::string(request.parameter("stateKey"))}));
  const std::string format = request.query("format").value_or("content");
  if (format == "event") {
    std::string body;
    BACKPLANE_CHECK(append_event(body, found.event));
    return http::Response::json(std::move(body));
  }
  if (format != "content") return invalid("invalid_param", "format is content or event");
  return http::Response::json(std::string(json::find_raw(found.event.event.text, "content").value_or("{}")));
}

Result<http::Response> joined_members(Components& c, const http::Request& request) {
  BACKPLANE_TRY(room, room_parameter(request));
  BACKPLANE_TRY(known, c.rooms.list_joined_members(api::context_of(request), {room, api::session_of(request).user}));
  std::string body;
  json::Writer out(body);
  out.begin_object().key("joined").begin_object();
  for (const api::MemberProfile& member : known.members) {
    out.key(member.user.view()).begin_object();
    write_json(out.key("display_name"), member.displayname);  // null where there is none, as clients are used to
    write_json(out.key("avatar_url"), member.avatar_url);
    out.end_object();
  }
  out.end_object().end_object();
  return http::Response::json(std::move(body));
}

}  // namespace

void add_room_state_routes(http::Routes& routes, Components& c) {
  using http::Method;
  const std::string room = "/_matrix/client/v3|r0/rooms/{roomId}";
  routes.add(Method::get, room + "/state", guest_read_route, [&c](const http::Request& r) { return get_state(c, r); });
  for (const char* end : {"/state/{eventType}", "/state/{eventType}/", "/state/{eventType}/{stateKey}"}) {
    routes.add(Method::get, room + end, guest_read_route, [&c](const http::Request& r) { return get_state_event(c, r); });
  }
  routes.add(Method::get, room + "/joined_members", read_route, [&c](const http::Request& r) { return joined_members(c, r); });
}

}  // namespace backplane::client_api
