#include "routes/routes.h"
#include "routes/support.h"

namespace backplane::client_api {
namespace {

constexpr std::int64_t default_typing_ms = 30'000;

Result<http::Response> set_typing(Components& c, const http::Request& request) {
  BACKPLANE_TRY(user, own_user(request));
  BACKPLANE_TRY(room, room_parameter(request));
  BACKPLANE_TRY(document, request.json_body());
  BACKPLANE_TRY(typing, document.root().get_boolean("typing"));
  BACKPLANE_TRY(timeout, document.root().get_optional_integer("timeout"));
  BACKPLANE_CHECK(
      c.edus.set_typing(api::context_of(request), {room, user, typing, timeout.value_or(default_typing_ms)}));
  return http::Response::empty_object();
}

/// m.fully_read is account data of the room; the others are receipts.
Result<void> mark(Components& c, const http::Request& request, const RoomId& room, std::string_view type,
                  std::string_view event, std::string_view thread) {
  const api::Session& session = api::session_of(request);
  BACKPLANE_TRY(event_id, matrix::parse_event_id(event));
  if (type == "m.fully_read") {
    if (!thread.empty()) return invalid("invalid_param", "m.fully_read takes no thread_id");
    BACKPLANE_TRY(member, c.rooms.find_membership(api::context_of(request), {room, session.user}));
    if (member.membership != "join") return denied("not_in_room", session.user.str() + " is not in the room");
    std::string content;
    json::Writer(content).begin_object().member("event_id", event_id.view()).end_object();
    BACKPLANE_CHECK(c.users.set_account_data(api::context_of(request),
                                             {session.user, room, "m.fully_read", json::Raw{std::move(content)}}));
    return {};
  }
  BACKPLANE_CHECK(c.edus.submit_receipt(api::context_of(request),
                                        {room, session.user, std::string(type), event_id, std::string(thread)}));
  return {};
}

Result<http::Response> receipt(Components& c, const http::Request& request) {
  BACKPLANE_TRY(room, room_parameter(request));
  BACKPLANE_TRY(document, request.json_body(true));
  BACKPLANE_TRY(thread, document.root().get_optional_string("thread_id"));
  if (thread && thread->empty()) return invalid("invalid_param", "thread_id is empty");
  BACKPLANE_CHECK(
      mark(c, request, room, request.parameter("receiptType"), request.parameter("eventId"), thread.value_or("")));
  return http::Response::empty_object();
}

Result<http::Response> read_markers(Components& c, const http::Request& request) {
  BACKPLANE_TRY(room, room_parameter(request));
  BACKPLANE_TRY(document, request.json_body());
  for (const char* type : {"m.fully_read", "m.read", "m.read.private"}) {
    BACKPLANE_TRY(event, document.root().get_optional_string(type));
    if (event) BACKPLANE_CHECK(mark(c, request, room, type, *event, ""));
  }
  return http::Response::empty_object();
}

}  // namespace

void add_ephemeral_routes(http::Routes& routes, Components& c) {
  using http::Method;
  const std::string room = "/_matrix/client/v3|r0/rooms/{roomId}";
  routes.add(Method::put, room + "/typing/{userId}", write_route,
             [&c](const http::Request& r) { return set_typing(c, r); });
  routes.add(Method::post, room + "/receipt/{receiptType}/{eventId}", write_route,
             [&c](const http::Request& r) { return receipt(c, r); });
  routes.add(Method::post, room + "/read_markers", write_route,
             [&c](const http::Request& r) { return read_markers(c, r); });
}

}  // namespace backplane::client_api
