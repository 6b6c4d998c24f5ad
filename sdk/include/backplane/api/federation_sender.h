// backplane.federation_sender: what this server asks of others and tells them.
#pragma once

#include <string>
#include <vector>

#include "backplane/api/method.h"
#include "backplane/matrix/ids.h"
#include "backplane/matrix/membership.h"

namespace backplane::api {

/// Events as another server sent them. Nothing was checked but that they are JSON objects.
struct RemoteEventsResponse {
  std::vector<json::Raw> events;
};
BACKPLANE_FIELDS(RemoteEventsResponse, events);

/// Server-Server API, POST /get_missing_events/{roomId}.
struct GetMissingEventsRequest {
  ServerName destination;
  RoomId room_id;
  std::vector<EventId> earliest_events;
  std::vector<EventId> latest_events;
  std::uint32_t limit = 10;
  std::int64_t min_depth = 0;
};
BACKPLANE_FIELDS(GetMissingEventsRequest, destination, room_id, earliest_events, latest_events, limit, min_depth);

/// Server-Server API, GET /backfill/{roomId}.
struct GetBackfillRequest {
  ServerName destination;
  RoomId room_id;
  std::vector<EventId> from;  ///< `v`
  std::uint32_t limit = 100;
};
BACKPLANE_FIELDS(GetBackfillRequest, destination, room_id, from, limit);

struct GetRemoteEventRequest {
  ServerName destination;
  EventId event_id;
};
BACKPLANE_FIELDS(GetRemoteEventRequest, destination, event_id);
struct GetRemoteEventResponse {
  json::Raw event;
};
BACKPLANE_FIELDS(GetRemoteEventResponse, event);

/// At an event of a room.
struct GetRemoteStateRequest {
  ServerName destination;
  RoomId room_id;
  EventId event_id;
};
BACKPLANE_FIELDS(GetRemoteStateRequest, destination, room_id, event_id);
struct GetRemoteStateIdsResponse {
  std::vector<EventId> state;
  std::vector<EventId> auth_chain;
};
BACKPLANE_FIELDS(GetRemoteStateIdsResponse, state, auth_chain);

/// Server-Server API, GET /make_join, /make_leave and /make_knock.
struct MakeRemoteMembershipRequest {
  ServerName destination;
  RoomId room_id;
  UserId user;
  matrix::Membership membership = matrix::Membership::join;  ///< join, leave or knock
  std::vector<RoomVersionId> room_versions;                  ///< that this server supports
};
BACKPLANE_FIELDS(MakeRemoteMembershipRequest, destination, room_id, user, membership, room_versions);
struct MakeRemoteMembershipResponse {
  RoomVersionId room_version;  ///< 1 where the other server says none
  json::Raw event;             ///< what the membership event is made of
};
BACKPLANE_FIELDS(MakeRemoteMembershipResponse, room_version, event);

/// PUT /v2/send_join, /v2/send_leave and /send_knock.
struct SendRemoteMembershipRequest {
  ServerName destination;
  RoomId room_id;
  RoomVersionId room_version;
  EventId event_id;
  json::Raw event;
};
BACKPLANE_FIELDS(SendRemoteMembershipRequest, destination, room_id, room_version, event_id, event);
struct SendRemoteJoinResponse {
  json::Raw event;  ///< with the other server's signature, where that is wanted (restricted joins); may be empty
  /// Without those whose signatures are not as the room version asks (wire 12).
  std::vector<json::Raw> state, auth_chain;
};
BACKPLANE_FIELDS(SendRemoteJoinResponse, event, state, auth_chain);
struct SendRemoteKnockResponse {
  std::vector<json::Raw> room_state;  ///< `knock_room_state`
};
BACKPLANE_FIELDS(SendRemoteKnockResponse, room_state);

/// PUT /v2/invite.
struct SendInviteRequest {
  ServerName destination;
  RoomId room_id;
  RoomVersionId room_version;
  EventId event_id;
  json::Raw event;
  std::vector<json::Raw> room_state;  ///< `invite_room_state`: PDUs
};
BACKPLANE_FIELDS(SendInviteRequest, destination, room_id, room_version, event_id, event, room_state);
struct SendInviteResponse {
  json::Raw event;  ///< signed by the invited user's server, too (wire 12)
};
BACKPLANE_FIELDS(SendInviteResponse, event);

/// What the server-server API answers to each request is answered. Errors of all of them:
/// unavailable/unreachable for a server that does not answer (or is not asked because it lately did not), those that
/// the other server answers, and incomplete/bad_answer for what no server should answer.
struct BACKPLANE_API FederationSender : Interface {
  static constexpr std::string_view interface_id = "backplane.federation_sender/1";
  FederationSender();
  ~FederationSender() override;

  DeferredMethod<GetMissingEventsRequest, RemoteEventsResponse> get_missing_events{
      *this, "get_missing_events", {.repeatable = true}};
  DeferredMethod<GetBackfillRequest, RemoteEventsResponse> get_backfill{*this, "get_backfill", {.repeatable = true}};
  /// GET /event/{eventId}
  DeferredMethod<GetRemoteEventRequest, GetRemoteEventResponse> get_event{*this, "get_event", {.repeatable = true}};
  /// GET /event_auth/{roomId}/{eventId}: the event's auth chain
  DeferredMethod<GetRemoteStateRequest, RemoteEventsResponse> get_event_auth{
      *this, "get_event_auth", {.repeatable = true}};
  /// GET /state_ids/{roomId}: the state before the event
  DeferredMethod<GetRemoteStateRequest, GetRemoteStateIdsResponse> get_state_ids{
      *this, "get_state_ids", {.repeatable = true}};
  /// GET /state/{roomId}: the events of that state, and those of its auth chain
  DeferredMethod<GetRemoteStateRequest, RemoteEventsResponse> get_state{*this, "get_state", {.repeatable = true}};

  DeferredMethod<MakeRemoteMembershipRequest, MakeRemoteMembershipResponse> make_membership{
      *this, "make_membership", {.repeatable = true}};
  DeferredMethod<SendRemoteMembershipRequest, SendRemoteJoinResponse> send_join{
      *this, "send_join", {.repeatable = true}};
  DeferredMethod<SendRemoteMembershipRequest, Nothing> send_leave{*this, "send_leave", {.repeatable = true}};
  DeferredMethod<SendRemoteMembershipRequest, SendRemoteKnockResponse> send_knock{
      *this, "send_knock", {.repeatable = true}};
  DeferredMethod<SendInviteRequest, SendInviteResponse> send_invite{*this, "send_invite", {.repeatable = true}};
};

}  // namespace backplane::api
