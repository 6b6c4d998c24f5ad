// GET /rooms/{roomId}/members: the membership events of a room, of now, of a token, or of the reader's leaving.
#include <algorithm>

#include "routes/room_read.h"

namespace backplane::sync_api {
namespace {

Result<std::optional<matrix::Membership>> membership_parameter(const http::Request& request, std::string_view name) {
  const auto word = request.query(name);
  if (!word) return std::optional<matrix::Membership>();
  const auto membership = matrix::membership_from(*word);
  if (!membership) return invalid("invalid_param", "'" + std::string(name) + "' is no membership");
  return membership;
}

Result<http::Response> members(Reader& reader, const http::Request& request) {
  BACKPLANE_TRY(room, RoomRead::open(reader, request));
  BACKPLANE_TRY(only, membership_parameter(request, "membership"));
  BACKPLANE_TRY(except, membership_parameter(request, "not_membership"));
  Sequence at = room.until();
  if (const auto token = request.query("at"); token && !token->empty()) {
    BACKPLANE_TRY(place, parse_page_token(*token, room.room().lane));
    // A place in /sync is before its bound; a page token names the last event before it.
    at = std::min(at, place.sequence == no_bound ? place.bound - 1 : place.sequence);
    BACKPLANE_TRY(may_see, room.may_see_state_at(at));
    if (!may_see) return denied("forbidden", "you may not see who was in the room then");
  }
  at = std::min(at, no_bound - 1);
  BACKPLANE_TRY(state, room.read([&](storage::Session& session) {
    return store::state_at(session, room.room(), at, "m.room.member");
  }));
  // Spec: the two parameters together mean `or`.
  std::erase_if(state, [&](const StateItem& item) {
    if (!only && !except) return false;
    return !((only && item.membership == *only) || (except && item.membership != *except));
  });
  std::string out = "{\"chunk\":";
  out.reserve(state.size() * 500 + 32);
  BACKPLANE_CHECK(room.append_state(out, state, RoomEventFilter()));
  out += '}';
  return http::Response::json(std::move(out));
}

}  // namespace

void add_members(http::Routes& routes, Reader& reader) {
  routes.add(http::Method::get, "/_matrix/client/v3|r0/rooms/{roomId}/members", read_options(),
             [&reader](const http::Request& request) { return members(reader, request); });
}

}  // namespace backplane::sync_api
