// The verbs that change rooms, one file each. Errors are those that api/room_server.h documents; any thread; they wait
// for the commit.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "backplane/api/room_server.h"
#include "environment.h"
#include "input/content.h"
#include "input/submission.h"
#include "input/third_party_invite.h"

namespace backplane::room_server {

Result<api::CreateRoomResponse> create_room(Environment& environment, const api::CreateRoomRequest& request);
/// The same with a power levels event that says that and no more: canonical JSON.
Result<api::CreateRoomResponse> create_room(Environment& environment, const api::CreateRoomRequest& request,
                                            const std::optional<std::string>& power_levels);
Result<api::UpgradeRoomResponse> upgrade_room(Environment& environment, const api::UpgradeRoomRequest& request);
Result<api::SubmitDraftResponse> submit_draft(Environment& environment, const api::SubmitDraftRequest& request);
Result<api::ChangeMembershipResponse> change_membership(Environment& environment,
                                                        const api::ChangeMembershipRequest& request);
matrix::Membership membership_of(api::MembershipAction action);
/// What an m.room.member event of that change says. Errors: invalid/bad_json.
Result<Content> membership_content(const api::ChangeMembershipRequest& request);
Result<api::PositionResponse> forget_room(Environment& environment, const api::RoomUserRequest& request);
Result<api::PositionResponse> delete_room(Environment& environment, const api::DeleteRoomRequest& request);
Result<api::Nothing> purge_history(Environment& environment, const api::PurgeHistoryRequest& request);
/// Takes some of the events of a purge away; answers whether there are more. Errors: unavailable/not_owner, the
/// store's.
Result<bool> continue_purge(Environment& environment, const RoomRow& room, tables::PurgeRow& purge);
/// The ordinal before which a purge may take what is wanted: what the next event follows stays, and so does the last
/// event. `tips`: the forward extremities, none when that is the only one.
std::int64_t purge_end(std::int64_t wanted, std::span<const std::int64_t> tips, std::int64_t last);
Result<api::ReceiveEventsResponse> receive_events(Environment& environment, const api::ReceiveEventsRequest& request);
/// For users of other servers, who make or have made the event themselves. They change nothing.
Result<api::MakeMembershipEventResponse> make_membership_event(Environment& environment,
                                                               const api::MakeMembershipEventRequest& request);
Result<api::SignRestrictedJoinResponse> sign_restricted_join(Environment& environment,
                                                             const api::SignRestrictedJoinRequest& request);
/// A user of this server is invited by one of another (remote/).
Result<api::ReceiveInviteResponse> receive_invite(Environment& environment, const api::ReceiveInviteRequest& request);
/// The record of a user's forgetting, as JSON; the same in the snapshot.
std::string forgotten_payload(const RoomRow& room, const UserId& user, const std::string& membership);

/// A membership that somebody wants, by whichever way they asked.
struct MembershipDraft {
  RoomId room_id;
  UserId sender;
  UserId target;
  /// leave, kick and unban all are the membership `leave`; `none` when it came as a state event.
  std::optional<api::MembershipAction> action;
  std::string content;  ///< canonical, with its membership
  Origin origin;
  RequestName request;
  std::int64_t origin_server_ts = 0;                   ///< 0: now
  std::optional<ThirdPartySigned> third_party_signed;  ///< of a join
};
Result<Submitted> submit_membership(Environment& environment, const MembershipDraft& draft);

/// A redaction that somebody wants; `content` is canonical.
Result<Submitted> submit_redaction(Environment& environment, const api::SubmitDraftRequest& request,
                                   const EventId& target, std::string content);

}  // namespace backplane::room_server
