#include <set>
#include <utility>
#include <vector>

#include "backplane/matrix/event.h"
#include "backplane/matrix/server_event.h"
#include "query/query.h"

namespace backplane::room_server {
namespace {

constexpr std::size_t max_events = 1000;

/// All that the events cite, and what that cites, and so on. The index of a room's whole state that its lane may have
/// (state/auth_index.h) is not worth it: a chain is short beside that.
class Chain {
 public:
  Chain(storage::Session& session, const RoomRow& room)
      : session_(session), room_(room), version_(*matrix::find_room_version(room.version)) {}

  /// The auth events of one, whatever it is.
  Result<void> add(const EventId& event_id) {
    auto row = tables::find_event(session_, room_.number, event_id);
    if (!row || row->status == EventStatus::rejected)
      return not_found("unknown_event", "the event " + event_id.str() + " is not in the room");
    const matrix::Event event = matrix::Event::from_stored(std::move(row->json), event_id, version_);
    std::vector<EventId> cited = event.auth_events();
    if (version_.create_event_is_implied && !event.is_state("m.room.create", ""))
      cited.push_back(matrix::create_event_id_of(room_.room_id));
    tables::each_state_entry(session_, room_.number, cited,
                             [&](const EventId&, const StateEntry& entry) { add(entry.ordinal); });
    return {};
  }

  std::vector<api::EventBody> bodies() {
    while (!left_.empty()) {
      const std::vector<std::int64_t> next = std::exchange(left_, {});
      tables::each_state_event(session_, room_.number, next, [&](const StateEventRow& event) {
        for (const std::uint32_t cited : event.auth_events) add(cited);
      });
    }
    std::vector<api::EventBody> bodies;
    bodies.reserve(chain_.size());
    tables::each_body(session_, room_, {chain_.begin(), chain_.end()}, [&](api::EventBody body) {
      body.event.text = matrix::server_event(body.event.text);
      bodies.push_back(std::move(body));
    });
    return bodies;
  }

 private:
  void add(std::int64_t ordinal) {
    if (chain_.insert(ordinal).second) left_.push_back(ordinal);
  }

  storage::Session& session_;
  const RoomRow& room_;
  const matrix::RoomVersion& version_;
  std::set<std::int64_t> chain_;    ///< ordinals
  std::vector<std::int64_t> left_;  ///< those of them whose auth events are not in it yet
};

}  // namespace

Result<api::GetEventsResponse> get_auth_chain(Environment& environment, const api::AuthChainRequest& request) {
  if (request.event_ids.size() > max_events) return invalid("too_large", "more than 1000 events in a request");
  return environment.store.read([&](storage::Session& session) -> Result<api::GetEventsResponse> {
    const auto room = tables::find_room(session, request.room_id);
    if (!room) return not_found("unknown_room", "this server does not know the room " + request.room_id.str());
    Chain chain(session, *room);
    for (const EventId& event_id : request.event_ids) BACKPLANE_CHECK(chain.add(event_id));
    return api::GetEventsResponse{chain.bodies()};
  });
}

}  // namespace backplane::room_server
