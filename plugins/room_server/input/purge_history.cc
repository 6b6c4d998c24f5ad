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
  tables::PurgeRow purge{room};
  BACKPLANE_CHECK(environment.store.read([&](storage::Session& session) -> Result<void> {
    const std::int64_t from = tables::messages_from(session, room);
    purge.done = event_key(room, from) - 1;
    if (request.before.empty()) {
      purge.up_to = tables::find_ordinal_at(session, room, from, request.before_ts);
      return {};
    }
    const auto event = tables::find_event(session, room, request.before);
    if (!event || event->ordinal < first_ordinal)
      return not_found("unknown_event", "the room has no event " + request.before.str() + " in its order");
    purge.up_to = event->ordinal;
    return {};
  }));
  std::vector<std::int64_t> tips;
  for (const Tip& tip : head.tips()) tips.push_back(tip.ordinal);
  purge.up_to = purge_end(purge.up_to, tips, head.next_ordinal() - 1);
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
  environment.meters.purges_by_request.add();
  return api::Nothing{};
}

std::int64_t purge_end(std::int64_t wanted, std::span<const std::int64_t> tips, std::int64_t last) {
  std::int64_t end = std::min(wanted, last);  // the highest ordinal tells the next one
  for (const std::int64_t tip : tips) {
    if (tip >= first_ordinal) end = std::min(end, tip);
  }
  return end;
}

Result<bool> continue_purge(Environment& environment, const RoomRow& room, tables::PurgeRow& purge) {
  // Its owner's to do, as every change of a room.
  BACKPLANE_TRY(chain, environment.lanes.chain_of(room.room_id));
  std::vector<EventId> gone;
  const auto step = [&](storage::Write& write) -> Result<bool> {
    const auto noted = tables::find_purge(write, room.number);
    if (!noted) return false;
    purge.up_to = noted->up_to;  // somebody may have asked for another one meanwhile
    purge.done = noted->done;
    purge.received_before = noted->received_before;
    const auto first = tables::find_event(write, room.number, purge.up_to);
    auto events = tables::list_purged_events(write, purge, first ? first->depth : 0, events_at_once);
    const bool is_last = events.size() < events_at_once;
    if (!events.empty()) purge.done = std::max(purge.done, events.back().key);
    // What the next event follows may have come since, and say of itself what it likes.
    const auto tips = tables::find_forward_extremities(write, room.number).ordinals;
    std::erase_if(events, [&](const tables::PurgedEvent& event) {
      return std::ranges::find(tips, ordinal_of_key(event.key)) != tips.end();
    });
    tables::delete_events(write, room.number, events);
    for (const tables::PurgedEvent& event : events) {
      gone.push_back(event.event_id);
      if (event.is_published) environment.publisher.publish(write, room.room_id.view(), purged_payload(room, event));
    }
    if (!is_last && !events.empty()) {
      tables::replace_purge(write, purge);
      return true;
    }
    tables::delete_purge(write, room.number);
    if (is_last) tables::move_messages_from(write, room.number, purge.up_to);
    return false;
  };
  BACKPLANE_TRY(more, environment.store.write(step, chain));
  environment.bodies.erase(gone);
  environment.meters.events_purged.add(gone.size());
  purge.gone += static_cast<std::int64_t>(gone.size());
  // Those by age are so many that they are counted by the pass over all rooms.
  if (!more && purge.received_before == 0)
    environment.logger.info("history is gone", {{"room_id", room.room_id.view()}, {"events", purge.gone}});
  return more;
}

}  // namespace backplane::room_server
