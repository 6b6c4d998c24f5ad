#include <utility>

#include "input/content.h"
#include "input/input.h"

namespace backplane::room_server {
namespace {

using api::MembershipAction;

bool is_about_oneself(MembershipAction action) {
  return action == MembershipAction::join || action == MembershipAction::leave || action == MembershipAction::knock;
}

}  // namespace

matrix::Membership membership_of(MembershipAction action) {
  switch (action) {
    case MembershipAction::join: return matrix::Membership::join;
    case MembershipAction::invite: return matrix::Membership::invite;
    case MembershipAction::ban: return matrix::Membership::ban;
    case MembershipAction::knock: return matrix::Membership::knock;
    case MembershipAction::leave:
    case MembershipAction::kick:
    case MembershipAction::unban: break;
  }
  return matrix::Membership::leave;
}

Result<Content> membership_content(const api::ChangeMembershipRequest& request) {
  BACKPLANE_TRY(content, Content::parse(request.extra_content));
  const matrix::Membership membership = membership_of(request.action);
  content.set("membership", to_string(membership));
  content.set_optional("reason", request.reason);
  // Spec: Client-Server API, m.room.member: the profile of the user that the event is about, while they are or may
  // become a member.
  if (membership != matrix::Membership::leave && membership != matrix::Membership::ban) {
    content.set_optional("displayname", request.target.displayname);
    content.set_optional("avatar_url", request.target.avatar_url);
  }
  if (request.is_direct && request.action == MembershipAction::invite) content.set_raw("is_direct", "true");
  return std::move(content);
}

Result<api::ChangeMembershipResponse> change_membership(Environment& environment,
                                                        const api::ChangeMembershipRequest& request) {
  const UserId& target =
      is_about_oneself(request.action) && request.target.user.empty() ? request.sender : request.target.user;
  if (is_about_oneself(request.action) && target != request.sender) {
    return invalid("invalid_param", "one joins, leaves and knocks for oneself");
  }
  BACKPLANE_CHECK(matrix::parse_user_id(target.view()));
  BACKPLANE_TRY(content, membership_content(request));
  std::optional<ThirdPartySigned> third_party_signed;
  if (request.action == MembershipAction::join && !request.third_party_signed.empty()) {
    BACKPLANE_TRY(parsed, ThirdPartySigned::parse(request.third_party_signed, target));
    third_party_signed = std::move(parsed);
  }
  auto submitted = submit_membership(environment, {request.room_id,
                                                   request.sender,
                                                   target,
                                                   request.action,
                                                   content.canonical(),
                                                   {request.device, {}},
                                                   {},
                                                   0,
                                                   std::move(third_party_signed)});
  if (!submitted) return std::move(submitted).error();
  return api::ChangeMembershipResponse{request.room_id, std::move(submitted->event_id), submitted->position};
}

}  // namespace backplane::room_server
