// What other servers make membership events of their users of: the event that this server would make, unsigned.
#include <algorithm>
#include <utility>

#include "input/content.h"
#include "input/input.h"
#include "input/restricted_join.h"

namespace backplane::room_server {
namespace {

using api::MakeMembershipEventRequest;
using api::MakeMembershipEventResponse;
using matrix::Membership;

Result<void> check_form(const Environment& environment, const MakeMembershipEventRequest& request) {
  BACKPLANE_CHECK(matrix::parse_user_id(request.user.view()));
  if (matrix::is_on_server(request.user.view(), environment.server_name))
    return invalid("invalid_param", request.user.str() + " is a user of this server");
  if (request.membership == Membership::invite || request.membership == Membership::ban)
    return invalid("invalid_param", "one joins, leaves and knocks for oneself, and nothing else");
  return {};
}

/// Whether the other server can make an event of the room, and this one knows its state.
Result<void> check_room(Environment& environment, const MakeMembershipEventRequest& request) {
  return environment.store.read([&](storage::Session& session) -> Result<void> {
    const auto room = tables::find_room(session, request.room_id);
    if (!room || !tables::is_joined(session, room->number, environment.server_name))
      return not_found("unknown_room", "nobody of this server is in the room " + request.room_id.str());
    const auto& versions = request.room_versions;
    if (versions.empty() || std::ranges::find(versions, room->version) != versions.end()) return {};
    return invalid("incompatible_room_version", "the room has version " + room->version.str())
        .with("room_version", room->version.view());
  });
}

Result<MakeMembershipEventResponse> make(Environment& environment, LaneGuard lane,
                                         const MakeMembershipEventRequest& request, const UserId& authoriser) {
  Content content;
  content.set("membership", to_string(request.membership));
  if (!authoriser.empty()) content.set(authoriser_key, authoriser.view());
  matrix::EventDraft draft;
  draft.sender = request.user;
  draft.type = "m.room.member";
  draft.state_key = request.user.str();
  draft.content = content.canonical();
  BACKPLANE_CHECK(place_draft(environment, lane.head(), draft));
  const matrix::RoomVersion& version = lane.head().version();
  BACKPLANE_CHECK(leave_when_stored(lane));
  BACKPLANE_TRY(event, matrix::event_template(draft, version, environment.server_name));
  return MakeMembershipEventResponse{RoomVersionId(std::string(version.id)), {std::move(event)}};
}

}  // namespace

Result<MakeMembershipEventResponse> make_membership_event(Environment& environment,
                                                          const MakeMembershipEventRequest& request) {
  BACKPLANE_CHECK(check_form(environment, request));
  BACKPLANE_CHECK(check_room(environment, request));
  if (request.membership != Membership::join) {
    BACKPLANE_TRY(lane, environment.lanes.enter(request.room_id));
    return make(environment, std::move(lane), request, {});
  }
  RestrictedJoin restricted(environment, request.user);
  BACKPLANE_TRY(entered, restricted.enter(request.room_id));
  BACKPLANE_CHECK(check_verdict(entered.verdict, request.user));
  const bool is_vouched_for = entered.verdict == RestrictedJoin::Verdict::allowed;
  return make(environment, std::move(entered.lane), request, is_vouched_for ? restricted.authoriser() : UserId());
}

}  // namespace backplane::room_server
