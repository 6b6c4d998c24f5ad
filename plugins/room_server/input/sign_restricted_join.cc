// This server's signature on an event of another's: that its user may join a restricted room, because a user of this
// server, who may invite, vouches for it. It is the only thing that is ever signed for others.
#include <algorithm>
#include <utility>

#include "backplane/matrix/event_hash.h"
#include "input/input.h"
#include "input/restricted_join.h"

namespace backplane::room_server {
namespace {

Error no_such_join(std::string text) { return invalid("invalid_param", std::move(text)); }

bool is_signed_by(const matrix::Event& event, const ServerName& server) {
  return std::ranges::any_of(matrix::signatures_of(event),
                             [&](const auto& signature) { return signature.entity == server.view(); });
}

/// What can be said of the event without the room: answers who vouches for it.
Result<UserId> check_form(const Environment& environment, const RoomId& room_id, const matrix::Event& event) {
  if (event.room_id() != room_id) return no_such_join("the event is of the room " + event.room_id().str());
  // Spec: Server-Server API, PUT /send_join.
  if (!matrix::has_content_hash(event)) return no_such_join("the event's hash is not that of its content");
  if (!event.is_state("m.room.member", event.sender().view()))
    return no_such_join("the event is not its sender's own m.room.member event");
  if (matrix::membership_in(event.content()) != matrix::Membership::join) return no_such_join("the event is no join");
  if (matrix::is_on_server(event.sender().view(), environment.server_name))
    return no_such_join(event.sender().str() + " is a user of this server");
  if (!is_signed_by(event, matrix::server_of(event.sender())))
    return no_such_join("the event is not signed by its sender's server");
  if (!event.room_version().restricted_join) return no_such_join("the room's version knows no restricted joins");
  auto authoriser = json::find_raw_string(event.content(), authoriser_key);
  if (!authoriser || !matrix::is_on_server(*authoriser, environment.server_name))
    return no_such_join("the event names no user of this server who authorises it");
  return UserId(std::move(*authoriser));
}

/// Room version 8, authorization rules, 4.3.5.3: the same whatever else would let the user in.
bool may_vouch(const RoomHead& head, const UserId& authoriser) {
  return head.membership_of(authoriser) == matrix::Membership::join &&
         head.power_levels().of_user(authoriser) >= head.power_levels().invite();
}

}  // namespace

Result<api::SignRestrictedJoinResponse> sign_restricted_join(Environment& environment,
                                                             const api::SignRestrictedJoinRequest& request) {
  BACKPLANE_TRY(room, environment.store.read(
                          [&](storage::Session& session) { return tables::find_room(session, request.room_id); }));
  const matrix::RoomVersion* const version = room ? matrix::find_room_version(room->version) : nullptr;
  if (version == nullptr)
    return not_found("unknown_room", "this server does not know the room " + request.room_id.str());
  BACKPLANE_TRY(event, matrix::Event::parse_untrusted(request.event.text, *version));
  BACKPLANE_TRY(authoriser, check_form(environment, request.room_id, event));

  RestrictedJoin restricted(environment, event.sender());
  BACKPLANE_TRY(entered, restricted.enter(request.room_id));
  BACKPLANE_CHECK(check_verdict(entered.verdict, event.sender()));
  const RoomHead& head = entered.lane.head();
  if (!may_vouch(head, authoriser))
    return check_verdict(RestrictedJoin::Verdict::nobody_may_invite, event.sender()).error();
  if (const auto rejection = matrix::check_auth_rules(matrix::AuthSubject::of(event), *version, head))
    return matrix::to_error(*rejection);
  entered.lane.leave();

  const matrix::Event with_signature = matrix::add_signature(event, environment.server_name, *environment.signing_key);
  if (with_signature.json().size() > matrix::max_event_bytes)
    return invalid("too_large", "with this server's signature the event is larger than 65536 bytes");
  return api::SignRestrictedJoinResponse{event.event_id(), {std::string(with_signature.json())}};
}

}  // namespace backplane::room_server
