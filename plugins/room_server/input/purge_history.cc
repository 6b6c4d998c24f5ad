// What was said in a room before some event goes, for good. State events stay: what is and was current is made of them,
// and so does what the next events follow. The request notes it; it is done by and by.
#include <algorithm>
#include <utility>
#include <vector>

#include "input/input.h"

namespace backplane::room_server {
namespace {

constexpr std::size_t events_at_once = 200;

std::string purged_payload(const RoomRow& room, const tables::PurgedEvent& event) {
  api::RoomEventRecord record;
  record.kind = api::RoomEventKind::purged;
  record.room_id = room.room_id;
  record.room_version = room.version;
  record.event_id = event.event_id;
  record.topological = event.depth;
  return to_json(record);
}

Result<Attempt> note_purge(const api::PurgeHistoryRequest& request, Environment& environment, LaneGuard& lane) {
  const RoomHead& head = lane.head();
  const RoomNumber room = head.room().number;
  BACKPLANE_TRY(wanted, environment.store.read([&](storage::Session& session) -> Result<std::int64_t> {
    if (request.before.empty()) return tables::find_ordinal_at(session, room, request.before_ts);
    const auto event = tables::find_event(session, room, request.before);
    if (!event || event->ordinal < first_ordinal)
      return not_found("unknown_event", "the room has no event " + request.before.str() + " in its order");
    return event->ordinal;
  }));
  tables::PurgeRow purge{room, wanted, event_key(room, 0)};
  for (const Tip& tip : head.tips()) purge.up_to = std::min(purge.up_to, tip.ordinal);
  return Attempt{lane.submit({}, {},
                             [purge](storage::Write& write, Pending&) -> Result<void> {
                               tables::replace_purge(write, purge);
                               return {};
                             },
                             {}),
                 {},
                 {}};
}

}  // namespace

Result<api::Nothing> purge_history(Environment& environment, const api::PurgeHistoryRequest& request) {
  if (request.before.empty() && request.before_ts <= 0)
    return invalid("missing_param", "say an event or a time before which the history is to go");
  BACKPLANE_CHECK(submit_in_lane(environment, request.room_id, {},
                                 [&](LaneGuard& lane) { return note_purge(request, environment, lane); }));
  return api::Nothing{};
}

Result<bool> continue_purge(Environment& environment, const RoomRow& room, tables::PurgeRow& purge) {
  // Its owner's to do, as every change of a room.
  BACKPLANE_TRY(chain, environment.lanes.chain_of(room.room_id));
  std::vector<EventId> gone;
  BACKPLANE_TRY(more, environment.store.write(
                          [&](storage::Write& write) -> Result<bool> {
                            const auto first = tables::find_event(write, room.number, purge.up_to);
                            const auto events =
                                tables::list_purged_events(write, purge, first ? first->depth : 0, events_at_once);
                            tables::delete_events(write, room.number, events);
                            for (const tables::PurgedEvent& event : events) {
                              gone.push_back(event.event_id);
                              if (event.is_published)
                                environment.publisher.publish(write, room.room_id.view(), purged_payload(room, event));
                            }
                            if (events.size() < events_at_once) {
                              tables::delete_purge(write, room.number);
                              return false;
                            }
                            purge.done = events.back().key;
                            tables::replace_purge(write, purge);
                            return true;
                          },
                          chain));
  environment.bodies.erase(gone);
  return more;
}

}  // namespace backplane::room_server
