#include <unordered_map>
#include <utility>
#include <vector>

#include "query/query.h"

namespace backplane::room_server {

Result<api::GetEventsResponse> get_events(Environment& environment, const api::GetEventsRequest& request) {
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
