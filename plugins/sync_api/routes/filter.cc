// POST /user/{userId}/filter and GET /user/{userId}/filter/{filterId}
#include "backplane/base/encoding.h"
#include "routes/room_read.h"

namespace backplane::sync_api {
namespace {

constexpr std::size_t max_filter = 64 * 1024;

Result<UserId> own_user(const http::Request& request) {
  const UserId& user = api::session_of(request).user;
  if (request.parameter("userId") != user.view()) return denied("forbidden", "filters of other users are not yours");
  return user;
}

Result<http::Response> create(Reader& reader, const http::Request& request) {
  BACKPLANE_TRY(user, own_user(request));
  BACKPLANE_TRY(document, request.json_body());
  BACKPLANE_CHECK(parse_filter(document.root()));
  const std::string body = document.root().canonical();
  // The id is the content's: the same filter again is the same row. It never begins with a brace.
  const std::string id = hex(as_text(sha256(body)).substr(0, 8));
  BACKPLANE_TRY(known, reader.store.read([&](storage::Session& s) { return store::find_filter(s, user, id); }));
  if (!known) {
    BACKPLANE_CHECK(reader.store.write([&](storage::Write& write) { store::insert_filter(write, user, id, body); }));
  }
  return http::Response::json("{\"filter_id\":\"" + id + "\"}");
}

Result<http::Response> get(Reader& reader, const http::Request& request) {
  BACKPLANE_TRY(user, own_user(request));
  BACKPLANE_TRY(body, reader.store.read([&](storage::Session& session) {
    return store::find_filter(session, user, request.parameter("filterId"));
  }));
  if (!body) return not_found("", "there is no filter of that id");
  return http::Response::json(std::move(*body));
}

}  // namespace

void add_filters(http::Routes& routes, Reader& reader) {
  const http::RouteOptions post{
      .authentication = http::Authentication::guest, .body_limit = max_filter, .rate = http::RateClass::read};
  routes.add(http::Method::post, "/_matrix/client/v3|r0/user/{userId}/filter", post,
             [&reader](const http::Request& request) { return create(reader, request); });
  routes.add(http::Method::get, "/_matrix/client/v3|r0/user/{userId}/filter/{filterId}", read_options(),
             [&reader](const http::Request& request) { return get(reader, request); });
}

}  // namespace backplane::sync_api
