#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "query/query.h"
#include "query/server_view.h"

namespace backplane::room_server {
namespace {

/// Whether another server gets the event by its id. Spec: Server-Server API, "Rejection"; "Soft failure": "A soft
/// failed event should be returned in response to federation requests where appropriate (e.g. in /event/<event_id>)".
/// What cites or follows a rejected one is answered all the same (list_earlier_events, get_state_at_event).
bool is_for_servers(EventStatus status) { return status != EventStatus::rejected; }

Result<api::GetEventsResponse> get_events_for(Environment& environment, const api::GetEventsRequest& request) {
  return environment.store.read([&](storage::Session& session) {
    std::map<RoomNumber, ServerView> views;
    std::unordered_map<EventId, api::EventBody> bodies;
    std::vector<std::pair<RoomRow, EventRow>> rows;
    tables::each_event_of(session, request.event_ids, [&](RoomRow room, EventRow event) {
      if (is_for_servers(event.status)) rows.emplace_back(std::move(room), std::move(event));
    });
    for (auto& [room, event] : rows) {
      ServerView& view = views.try_emplace(room.number, session, room, request.for_server).first->second;
      if (!view.is_in_room()) continue;
      const EventId event_id = event.event_id;
      bodies.emplace(event_id, view.body(std::move(event)));
    }
    api::GetEventsResponse response;
    for (const EventId& event_id : request.event_ids) {
      if (const auto body = bodies.find(event_id); body != bodies.end()) response.events.push_back(body->second);
    }
    return response;
  });
}

}  // namespace

Result<api::GetEventsResponse> get_events(Environment& environment, const api::GetEventsRequest& request) {
  if (!request.for_server.empty()) return get_events_for(environment, request);
  std::unordered_map<EventId, BodyCache::Pointer> bodies;
  std::vector<EventId> missing;
  for (const EventId& event_id : request.event_ids) {
    const auto [it, is_new] = bodies.try_emplace(event_id);
    if (!is_new) continue;
    it->second = environment.bodies.find(event_id);
    if (!it->second) missing.push_back(event_id);
  }
  if (!missing.empty()) {
    const BodyCache::Moment moment = environment.bodies.moment();
    BACKPLANE_CHECK(environment.store.read([&](storage::Session& session) {
      tables::each_body(session, missing, [&](api::EventBody body) {
        const EventId event_id = body.event_id;
        bodies[event_id] = std::make_shared<api::EventBody>(std::move(body));
      });
    }));
    for (const EventId& event_id : missing) {
      if (const auto& body = bodies[event_id]) environment.bodies.fill(body, moment);
    }
  }
  api::GetEventsResponse response;
  response.events.reserve(request.event_ids.size());
  for (const EventId& event_id : request.event_ids) {
    if (const auto& body = bodies[event_id]) response.events.push_back(*body);
  }
  return response;
}

}  // namespace backplane::room_server
