// backplane.federation_sender: what this server asks of others and tells them.
#pragma once

#include <string>
#include <vector>

#include "backplane/api/method.h"
#include "backplane/matrix/ids.h"

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
};

}  // namespace backplane::api
