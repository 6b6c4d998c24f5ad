#include "graph/room_graph.h"
#include "query/query.h"

namespace backplane::room_server {

Result<api::StateAtEventResponse> get_state_at_event(Environment& environment,
                                                     const api::StateAtEventRequest& request) {
  BACKPLANE_TRY(lane, environment.lanes.enter(request.room_id));
  RoomGraph graph(environment.store, lane.head());
  BACKPLANE_TRY(event, graph.find(request.event_id));
  if (event == nullptr || !event->is_placed())
    return not_found("unknown_event", "the place of " + request.event_id.str() + " in the room is not known here");
  const StateDelta entries = event->before ? event->before->entries() : StateDelta();
  EventIds state = graph.known_ids(entries), chain;
  if (request.auth_chain) {
    BACKPLANE_TRY(index, graph.auth_index());
    chain = graph.known_ids(index->auth_chain(entries));
  }
  const RoomNumber room = lane.head().room().number;
  lane.leave();
  // What was not at hand is stored.
  BACKPLANE_CHECK(environment.store.read([&](storage::Session& session) -> Result<void> {
    for (EventIds* const ids : {&state, &chain}) {
      std::size_t found = 0;
      tables::each_state_event_id(session, room, ids->stored, [&](EventId id) {
        ids->known.push_back(std::move(id));
        ++found;
      });
      if (found != ids->stored.size()) return internal_error("an event of " + request.room_id.str() + " is not stored");
    }
    return {};
  }));
  return api::StateAtEventResponse{std::move(state.known), std::move(chain.known)};
}

}  // namespace backplane::room_server
