// The snapshot of topic room_events: the records as they were published, made anew from the rows, in order of position.
#include <algorithm>
#include <utility>

#include "input/input.h"
#include "query/query.h"

namespace backplane::room_server {
namespace {

constexpr std::size_t max_page = 5000;

}  // namespace

Result<api::ListRecordsResponse> list_room_events(Environment& environment, const api::ListRecordsRequest& request) {
  const auto after = log::Positions::decode(request.after.empty() ? "0" : request.after);
  if (!after) return invalid("invalid_param", "'" + request.after + "' is no position");
  const std::size_t limit = std::clamp<std::size_t>(request.limit, 1, max_page);
  return environment.store.read([&](storage::Session& session) {
    // What is committed later comes by the log.
    const log::Positions head = environment.publisher.head(session);
    api::ListRecordsResponse response;
    response.as_of = head.encode();
    auto forgotten = tables::list_forgotten_by_sequence(session, after->base(), head.highest(), limit + 1);
    auto next = forgotten.begin();
    const auto add_forgotten_up_to = [&](std::uint64_t sequence) {
      for (; next != forgotten.end() && next->position.sequence < sequence; ++next) {
        response.records.push_back(
            {next->room.room_id.str(), next->position, {forgotten_payload(next->room, next->user, next->membership)}});
      }
    };
    tables::each_event_by_sequence(
        session, after->base(), head.highest(), limit + 1, [&](const RoomRow& room, EventRow&& event) {
          add_forgotten_up_to(event.position.sequence);
          response.records.push_back({room.room_id.str(), event.position, {record_payload(room, event)}});
        });
    add_forgotten_up_to(head.highest() + 1);
    response.last = response.records.size() <= limit;
    if (!response.last) response.records.resize(limit);
    return response;
  });
}

}  // namespace backplane::room_server
