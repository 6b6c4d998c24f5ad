// GET /rooms/{roomId}/context/{eventId}: an event, what is around it, and the state at the last one.
#include <algorithm>
#include <set>

#include "routes/room_read.h"

namespace backplane::sync_api {
namespace {

constexpr std::size_t rows_at_once = 100;
constexpr std::size_t max_scanned = 1000;

/// Visible events beyond a place, which moves to the end of what was looked at.
Result<std::vector<EntryPtr>> around(const RoomRead& room, PageToken& place, bool backwards, std::size_t limit,
                                     const RoomEventFilter& filter) {
  std::vector<EntryPtr> entries;
  for (std::size_t scanned = 0; entries.size() < limit && scanned < max_scanned; scanned += rows_at_once) {
    BACKPLANE_TRY(rows, room.read([&](storage::Session& session) {
      return store::page(session, room.room(), place, backwards, rows_at_once);
    }));
    for (const EntryPtr& row : rows) {
      if (entries.size() == limit) break;
      place.topological = row->topological;
      place.sequence = backwards ? row->sequence - 1 : row->sequence;
      if (room.may_see(*row) && filter.allows(row->type, row->sender)) entries.push_back(row);
    }
    if (rows.size() < rows_at_once) break;
  }
  return entries;
}

Result<http::Response> context(Reader& reader, const http::Request& request) {
  const Error absent = not_found("", "there is no such event, or you may not see it");
  BACKPLANE_TRY(room, RoomRead::open(reader, request));
  BACKPLANE_TRY(filter, room_filter_of(request));
  BACKPLANE_TRY(limit, limit_of(request, filter));
  const EventId id{std::string(request.parameter("eventId"))};
  BACKPLANE_TRY(located, room.read([&](storage::Session& session) { return store::find_event(session, id); }));
  if (!located || located->room_id != room.room_id() || !room.may_see(*located->entry)) return absent;

  const TimelineEntry& entry = *located->entry;
  PageToken start{entry.topological, entry.sequence - 1, no_bound};
  PageToken end{entry.topological, entry.sequence, 0};
  BACKPLANE_TRY(before, around(room, start, true, (limit + 1) / 2, filter));
  BACKPLANE_TRY(after, around(room, end, false, limit / 2, filter));
  end.bound = no_bound;
  const Sequence last = std::min(after.empty() ? entry.latest : after.back()->latest, room.until());
  BACKPLANE_TRY(state,
                room.read([&](storage::Session& session) { return store::state_at(session, room.room(), last); }));
  if (filter.lazy_load_members) {
    std::set<std::string_view> senders{entry.sender};
    for (const auto* list : {&before, &after}) {
      for (const EntryPtr& e : *list) senders.insert(e->sender);
    }
    std::erase_if(state, [&](const StateItem& item) {
      return item.type == "m.room.member" && !senders.contains(item.state_key);
    });
  }

  std::vector<EntryPtr> self{located->entry};
  BACKPLANE_TRY(self_body, room.bodies(self));
  if (self.empty()) return absent;
  BACKPLANE_TRY(before_bodies, room.bodies(before));
  BACKPLANE_TRY(after_bodies, room.bodies(after));
  std::string out = "{\"start\":\"" + start.encode() + "\",\"end\":\"" + end.encode() + "\",\"event\":";
  room.append(out, *self_body.at(id), entry.latest, &entry);
  out += ",\"events_before\":";
  room.append_chunk(out, before, before_bodies);
  out += ",\"events_after\":";
  room.append_chunk(out, after, after_bodies);
  out += ",\"state\":";
  BACKPLANE_CHECK(room.append_state(out, state, filter));
  out += '}';
  return http::Response::json(std::move(out));
}

}  // namespace

void add_context(http::Routes& routes, Reader& reader) {
  routes.add(http::Method::get, "/_matrix/client/v3|r0/rooms/{roomId}/context/{eventId}", read_options(),
             [&reader](const http::Request& request) { return context(reader, request); });
}

}  // namespace backplane::sync_api
