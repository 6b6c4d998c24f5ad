// Invites of this server's users by those of others: PUT /v2/invite.
#include <algorithm>
#include <utility>

#include "backplane/matrix/event_hash.h"
#include "input/input.h"
#include "remote/remote_membership.h"

namespace backplane::room_server {
namespace {

/// What an invited user is shown of a room, and this server keeps.
constexpr std::size_t max_room_state_bytes = std::size_t{1} << 20;

Error no_such_invite(std::string text) { return invalid("invalid_param", std::move(text)); }

Result<void> check_form(const Environment& environment, const api::ReceiveInviteRequest& request,
                        const matrix::Event& event) {
  if (event.room_id() != request.room_id) return no_such_invite("the event is of the room " + event.room_id().str());
  if (!matrix::has_content_hash(event)) return no_such_invite("the event's hash is not that of its content");
  const auto user = event.state_key();
  if (event.type() != "m.room.member" || matrix::membership_in(event.content()) != matrix::Membership::invite || !user)
    return no_such_invite("the event is no invite");
  if (!matrix::parse_user_id(*user) || !matrix::is_on_server(*user, environment.server_name))
    return no_such_invite("the event invites no user of this server");
  // It would be this server's own signature alone.
  if (matrix::is_on_server(event.sender().view(), environment.server_name))
    return no_such_invite(event.sender().str() + " is a user of this server");
  std::size_t bytes = 0;
  for (const json::Raw& raw : request.room_state) bytes += raw.text.size();
  if (bytes > max_room_state_bytes) return invalid("too_large", "invite_room_state is larger than 1 MiB");
  return {};
}

/// Where a room's id is its create event's, that event is to be there (room version 12; MSC4311).
Result<void> check_create_event(const api::ReceiveInviteRequest& request, const matrix::RoomVersion& version) {
  if (version.room_id_format != matrix::RoomIdFormat::create_event_hash) return {};
  const bool is_there = std::ranges::any_of(request.room_state, [&](const json::Raw& raw) {
    const auto event = matrix::Event::parse_untrusted(raw.text, version);
    return event && event->is_state("m.room.create", "") && event->room_id() == request.room_id;
  });
  if (!is_there) return no_such_invite("invite_room_state is without the room's m.room.create event");
  return {};
}

}  // namespace

Result<api::ReceiveInviteResponse> receive_invite(Environment& environment, const api::ReceiveInviteRequest& request) {
  const matrix::RoomVersion* const version = matrix::find_room_version(request.room_version.view());
  if (version == nullptr)
    return invalid("unsupported_room_version",
                   "this server does not support room version '" + request.room_version.str() + "'");
  BACKPLANE_TRY(event, matrix::Event::parse_untrusted(request.event.text, *version));
  BACKPLANE_CHECK(check_form(environment, request, event));
  BACKPLANE_CHECK(check_create_event(request, *version));
  const matrix::Event signed_invite = matrix::add_signature(event, environment.server_name, *environment.signing_key);
  if (signed_invite.json().size() > matrix::max_event_bytes)
    return invalid("too_large", "with this server's signature the event is larger than 65536 bytes");
  const ServerName origin = matrix::server_of(event.sender());

  bool is_resident = false;
  BACKPLANE_TRY(room, environment.store.read([&](storage::Session& session) {
    auto found = tables::find_room(session, request.room_id);
    is_resident = found && tables::is_joined(session, found->number, environment.server_name);
    return found;
  }));
  if (room && room->version != request.room_version)
    return no_such_invite("the room has version " + room->version.str());
  if (is_resident) {
    const api::ReceiveEventsRequest received{
        request.room_id, {{{std::string(signed_invite.json())}, api::ReceivedKind::new_event, std::nullopt}}, origin};
    BACKPLANE_TRY(response, receive_events(environment, received));
    const api::ReceivedResult& result = response.results.front();
    if (result.outcome == api::ReceivedOutcome::rejected || result.outcome == api::ReceivedOutcome::soft_failed)
      return denied("forbidden", result.reason);
  } else {
    RemoteMembershipRow row{UserId(std::string(*event.state_key())),
                            request.room_id,
                            request.room_version,
                            "invite",
                            event.event_id(),
                            origin,
                            stripped_state_of(request.room_state, signed_invite),
                            {}};
    BACKPLANE_CHECK(store_remote_membership(environment, std::move(row)));
  }
  return api::ReceiveInviteResponse{event.event_id(), {std::string(signed_invite.json())}};
}

}  // namespace backplane::room_server
