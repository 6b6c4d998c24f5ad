#include <algorithm>
#include <array>

#include "routes/routes.h"
#include "routes/support.h"

namespace backplane::client_api {
namespace {

using api::MembershipAction;

bool is_about_another(MembershipAction action) {
  return action == MembershipAction::invite || action == MembershipAction::kick || action == MembershipAction::ban || action == MembershipAction::unban;
}

/// What a client adds to the body of a join or knock goes into the event's content (as other servers do).
std::string custom_content(json::View body) {
  static constexpr std::array<std::string_view, 6> known{"reason", "third_party_signed", "membership", "displayname", "avatar_url", "join_authorised_via_users_server"};
  std::string content;
  json::Writer out(content);
  out.begin_object();
  for (const auto& [name, value] : body.members()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) out.member(name, value);
  }
  out.end_object();
  return content == "{}" ? std::string() : content;
}

Result<api::ChangeMembershipRequest> read_change(Components& c, const http::Request& request, MembershipAction action) {
  BACKPLANE_TRY(document, request.json_body(true));
  const json::View body = document.root();
  const api::Session& session = api::session_of(request);
  api::ChangeMembershipRequest change;
  change.sender = session.user;
  change.device = session.device;
  change.action = action;
  UserId target = session.user;
  if (is_about_another(action)) {
    if (action == MembershipAction::invite && !body.find("user_id") && body.find("address")) {
      return invalid("threepid_denied", "this server cannot invite by third-party identifiers");
    }
    BACKPLANE_TRY(named, body.get_string("user_id"));
    BACKPLANE_TRY(user, matrix::parse_user_id(named));
    target = std::move(user);
  }
  // Bans and kicks show no profile; who joins, knocks or is invited is shown with theirs.
  const bool shows_profile = action == MembershipAction::join || action == MembershipAction::knock || action == MembershipAction::invite;
  change.target = shows_profile ? member_profile(c, request, target) : api::MemberProfile{target, std::nullopt, std::nullopt};
  BACKPLANE_TRY(reason, body.get_optional_string("reason"));
  if (reason) change.reason = *reason;
  BACKPLANE_TRY(third_party, body.get_optional_object("third_party_signed"));
  if (third_party) change.third_party_signed.text = third_party->canonical();
  if (action == MembershipAction::join || action == MembershipAction::knock) change.extra_content.text = custom_content(body);
  for (const char* name : {"via", "server_name"}) {
    for (std::string& server : request.query_all(name)) change.via.emplace_back(std::move(server));
  }
  return change;
}

/// The room of a path that may hold an alias.
Result<RoomId> find_room(Components& c, const http::Request& request) {
  const std::string_view named = request.parameter("roomIdOrAlias");
  if (!named.starts_with('#')) return matrix::parse_room_id(named);
  BACKPLANE_TRY(alias, matrix::parse_room_alias(named));
  BACKPLANE_TRY(found, c.rooms.find_alias(api::context_of(request), {alias, {}, {}}));
  return std::move(found.room_id);
}

void submit(Components& c, const http::Request& request, http::Responder responder, Result<RoomId> room, MembershipAction action) {
  if (!room) return (void)responder.complete(http::Response::error(room.error()));
  auto change = read_change(c, request, action);
  if (!change) return (void)responder.complete(http::Response::error(change.error()));
  change->room_id = std::move(*room);
  const bool tells_room = action == MembershipAction::join || action == MembershipAction::knock;
  c.rooms.change_membership(api::context_of(request), *change,
                            answer<api::ChangeMembershipResponse>(std::move(responder), [tells_room](const api::ChangeMembershipResponse& changed) {
                              if (!tells_room) return http::Response::empty_object();
                              std::string body;
                              json::Writer(body).begin_object().member("room_id", changed.room_id.view()).end_object();
                              return http::Response::json(std::move(body));
                            }));
}

Result<http::Response> forget(Components& c, const http::Request& request) {
  BACKPLANE_TRY(room, room_parameter(request));
  BACKPLANE_CHECK(c.rooms.forget_room(api::context_of(request), {room, api::session_of(request).user}));
  return http::Response::empty_object();
}

Result<http::Response> joined_rooms(Components& c, const http::Request& request) {
  BACKPLANE_TRY(known, c.rooms.list_joined_rooms(api::context_of(request), {api::session_of(request).user}));
  std::string body;
  json::Writer out(body);
  out.begin_object().key("joined_rooms").begin_array();
  for (const RoomId& room : known.rooms) out.string(room.view());
  out.end_array().end_object();
  return http::Response::json(std::move(body));
}

}  // namespace

void add_membership_routes(http::Routes& routes, Components& c) {
  using http::Method;
  const auto in_room = [&](std::string_view verb, MembershipAction action, const http::RouteOptions& options) {
    routes.add_parking(Method::post, "/_matrix/client/v3|r0/rooms/{roomId}/" + std::string(verb), options,
                       [&c, action](const http::Request& r, http::Responder responder) { submit(c, r, std::move(responder), room_parameter(r), action); });
  };
  in_room("join", MembershipAction::join, guest_write_route);
  in_room("leave", MembershipAction::leave, guest_write_route);
  in_room("invite", MembershipAction::invite, write_route);
  in_room("kick", MembershipAction::kick, write_route);
  in_room("ban", MembershipAction::ban, write_route);
  in_room("unban", MembershipAction::unban, write_route);
  routes.add_parking(Method::post, "/_matrix/client/v3|r0/join/{roomIdOrAlias}", write_route,
                     [&c](const http::Request& r, http::Responder responder) { submit(c, r, std::move(responder), find_room(c, r), MembershipAction::join); });
  routes.add_parking(Method::post, "/_matrix/client/v3|r0/knock/{roomIdOrAlias}", write_route,
                     [&c](const http::Request& r, http::Responder responder) { submit(c, r, std::move(responder), find_room(c, r), MembershipAction::knock); });
  routes.add(Method::post, "/_matrix/client/v3|r0/rooms/{roomId}/forget", write_route, [&c](const http::Request& r) { return forget(c, r); });
  routes.add(Method::get, "/_matrix/client/v3|r0/joined_rooms", read_route, [&c](const http::Request& r) { return joined_rooms(c, r); });
}

}  // namespace backplane::client_api
