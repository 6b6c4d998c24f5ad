// GET /rooms/{roomId}/event/{eventId}
#include "routes/room_read.h"

namespace backplane::sync_api {
namespace {

Result<http::Response> event(Reader& reader, const http::Request& request) {
  const Error absent = not_found("", "there is no such event, or you may not see it");
  auto room = RoomRead::open(reader, request);
  // Spec: 404, "The event was not found or you do not have permission to read this event."
  if (!room) return room.error().code == ErrorCode::denied ? absent : room.error();
  const EventId id{std::string(request.parameter("eventId"))};
  BACKPLANE_TRY(located, room->read([&](storage::Session& session) { return store::find_event(session, id); }));
  if (!located || located->room_id != room->room_id() || !room->may_see(*located->entry)) return absent;
  std::vector<EntryPtr> entries{located->entry};
  BACKPLANE_TRY(bodies, room->bodies(entries));
  if (entries.empty()) return absent;
  std::string out;
  room->append(out, *bodies.at(id), located->entry->latest, located->entry.get());
  return http::Response::json(std::move(out));
}

}  // namespace

void add_event(http::Routes& routes, Reader& reader) {
  routes.add(http::Method::get, "/_matrix/client/v3|r0/rooms/{roomId}/event/{eventId}", read_options(),
             [&reader](const http::Request& request) { return event(reader, request); });
}

}  // namespace backplane::sync_api
