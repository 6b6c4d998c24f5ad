// What the specification leaves to servers: for accounts that administer this one.
#include "routes/routes.h"
#include "routes/support.h"

namespace backplane::client_api {
namespace {

Result<void> check_is_admin(const http::Request& request) {
  if (api::session_of(request).admin) return {};
  return denied("forbidden", "only administrators of this server may do that");
}

Result<http::Response> delete_room(Components& c, const http::Request& request) {
  BACKPLANE_CHECK(check_is_admin(request));
  BACKPLANE_TRY(room_id, room_parameter(request));
  BACKPLANE_CHECK(c.rooms.delete_room(api::context_of(request), {room_id}));
  return http::Response::empty_object();
}

Result<http::Response> purge_history(Components& c, const http::Request& request) {
  BACKPLANE_CHECK(check_is_admin(request));
  api::PurgeHistoryRequest purge;
  BACKPLANE_TRY(room_id, room_parameter(request));
  purge.room_id = room_id;
  BACKPLANE_TRY(document, request.json_body(true));
  BACKPLANE_TRY(before, document.root().get_optional_string("before_event_id"));
  if (before) purge.before = EventId(std::string(*before));
  BACKPLANE_TRY(before_ts, document.root().get_optional_integer("before_ts"));
  purge.before_ts = before_ts.value_or(0);
  BACKPLANE_CHECK(c.rooms.purge_history(api::context_of(request), purge));
  return http::Response::empty_object();
}

}  // namespace

void add_administration_routes(http::Routes& routes, Components& c) {
  routes.add(http::Method::delete_, "/_backplane/admin/v1/rooms/{roomId}", write_route,
             [&c](const http::Request& r) { return delete_room(c, r); });
  routes.add(http::Method::post, "/_backplane/admin/v1/rooms/{roomId}/purge_history", write_route,
             [&c](const http::Request& r) { return purge_history(c, r); });
}

}  // namespace backplane::client_api
