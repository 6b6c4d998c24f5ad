#include "routes/room_read.h"

#include <algorithm>

namespace backplane::sync_api {

namespace {
constexpr Duration follow_wait = std::chrono::seconds(5);
constexpr std::size_t default_limit = 10, max_limit = 1000;

std::optional<StateItem> visibility_at(storage::Session& session, const store::RoomRow& room, Sequence at) {
  return store::find_state(session, room, "m.room.history_visibility", "", at);
}
}  // namespace

http::RouteOptions read_options() {
  return {.authentication = http::Authentication::guest, .body_limit = http::no_body, .rate = http::RateClass::read};
}

Result<RoomRead> RoomRead::open(Reader& reader, const http::Request& request) {
  const api::Session& session = api::session_of(request);
  RoomRead read;
  read.reader_ = &reader;
  read.user_ = session.user;
  read.device_ = session.device;
  read.access_ = Access{true, api::context_of(request)};
  BACKPLANE_TRY(room_id, matrix::parse_room_id(request.parameter("roomId")));
  read.room_id_ = std::move(room_id);
  const Error not_allowed = denied("forbidden", "you are not in this room");

  reader.model.follow(reader.host.clock().now() + follow_wait, Follow::what_is_committed);
  BACKPLANE_CHECK(reader.model.index_room(read.access_, read.room_id_));
  struct Found {
    std::optional<store::RoomRow> room;
    MembershipHistory history;
    std::optional<Sequence> forgotten;
    std::optional<StateItem> visibility;
  };
  BACKPLANE_TRY(found, reader.store.read([&](storage::Session& s) -> Found {
    Found f;
    f.room = store::find_room(s, read.room_id_);
    if (!f.room) return f;
    f.history = store::membership_history(s, *f.room, read.user_);
    f.forgotten = store::forgotten_at(s, read.user_, read.room_id_);
    if (f.history.now() != matrix::Membership::join) f.visibility = visibility_at(s, *f.room, no_bound - 1);
    return f;
  }));
  if (!found.room) return not_allowed;
  read.room_ = *found.room;
  read.history_ = std::move(found.history);
  if (read.history_.now() == matrix::Membership::join) return read;
  const bool was_there = read.history_.ever_joined();
  // Spec: POST /forget, "a user will no longer be able to retrieve history for this room": not by having been there.
  const bool has_forgotten = was_there && found.forgotten && *found.forgotten > read.history_.end();
  BACKPLANE_TRY(is_world_readable, read.is_world_readable(found.visibility));
  if (is_world_readable) {
    // Spec: Room History Visibility, world_readable: "with any authenticated user, regardless of whether they have ever
    // joined the room". So who has left is not told less than a stranger.
    // NOTSPEC: GET /rooms/{roomId}/state/{eventType}/{stateKey}, "If the user has left the room then the state is taken
    // from the state of the room when they left" (of /members it is not said otherwise): a stranger may read the
    // present state, so one who left may, too, as /messages shows it.
    if (has_forgotten) read.history_ = MembershipHistory();
    return read;
  }
  // Spec: "In all cases except world_readable, a user needs to join a room to view events in that room."
  if (!was_there || has_forgotten) return not_allowed;
  // Spec: "After a user has left a room, they may see any events which they were allowed to see before they left".
  read.until_ = read.history_.end();
  return read;
}

Result<bool> RoomRead::is_world_readable(const std::optional<StateItem>& visibility) const {
  if (!visibility) return false;
  BACKPLANE_TRY(bodies, bodies_of({*visibility}));
  const auto it = bodies.find(visibility->event_id);
  return it != bodies.end() &&
         matrix::history_visibility_in(it->second->event.content()) == matrix::HistoryVisibility::world_readable;
}

Result<bool> RoomRead::may_see_state_at(Sequence at) const {
  if (history_.now() == matrix::Membership::join || (history_.ever_joined() && at <= history_.end())) return true;
  // Spec: Room Previews, "servers are required to only return events where the room state at the event had [...]
  // world_readable". The state of now has older events; what the room was like before is not said.
  BACKPLANE_TRY(visibility, read([&](storage::Session& session) { return visibility_at(session, room_, at); }));
  return is_world_readable(visibility);
}

Result<EventCache::Found> RoomRead::bodies(std::vector<EntryPtr>& entries) const {
  std::vector<EventId> ids;
  ids.reserve(entries.size());
  for (const EntryPtr& entry : entries) ids.push_back(entry->event_id);
  BACKPLANE_TRY(found, reader_->events.get(access_, ids));
  std::vector<EventId> gone;
  std::erase_if(entries, [&](const EntryPtr& entry) {
    if (found.contains(entry->event_id)) return false;
    gone.push_back(entry->event_id);
    return true;
  });
  if (!gone.empty()) {
    reader_->store.submit(
        [gone](storage::Write& write) -> Result<void> {
          store::remove_events(write, gone);
          return {};
        },
        [](Result<void>) {});
  }
  return std::move(found);
}

Result<EventCache::Found> RoomRead::bodies_of(const std::vector<StateItem>& items) const {
  return reader_->events.get(access_, ids_of(items));
}

void RoomRead::append(std::string& out, const ClientEvent& event, Sequence position, const TimelineEntry* entry) const {
  ReaderParts parts{.now_ms = reader_->host.clock().wall_ms(), .membership = history_.at(position)};
  if (entry != nullptr && entry->sender == user_.view() && entry->device == device_) {
    parts.transaction_id = entry->transaction_id.view();
  }
  append_event(out, event, room_id_.view(), parts);
}

void RoomRead::append_chunk(std::string& out, const std::vector<EntryPtr>& entries,
                            const EventCache::Found& bodies) const {
  out += '[';
  bool first = true;
  for (const EntryPtr& entry : entries) {
    const auto body = bodies.find(entry->event_id);
    if (body == bodies.end()) continue;
    if (!first) out += ',';
    first = false;
    append(out, *body->second, entry->latest, entry.get());
  }
  out += ']';
}

Result<void> RoomRead::append_state(std::string& out, const std::vector<StateItem>& items,
                                    const RoomEventFilter& filter) const {
  out += '[';
  bool first = true;
  BACKPLANE_CHECK(reader_->events.each(access_, ids_of(items), [&](std::size_t place, const ClientEvent& event) {
    if (!filter.allows(items[place].type, event.event.sender().view())) return;
    if (!first) out += ',';
    first = false;
    append(out, event, items[place].since, nullptr);
  }));
  out += ']';
  return {};
}

Result<RoomEventFilter> room_filter_of(const http::Request& request) {
  const auto text = request.query("filter");
  if (!text || text->empty()) return RoomEventFilter();
  return parse_room_event_filter(*text);
}

Result<std::size_t> limit_of(const http::Request& request, const RoomEventFilter& filter) {
  BACKPLANE_TRY(asked, request.query_integer("limit"));
  if (asked && *asked < 0) return invalid("invalid_param", "'limit' must not be negative");
  std::size_t limit = asked ? static_cast<std::size_t>(*asked) : default_limit;
  if (filter.limit) limit = asked ? std::min<std::size_t>(limit, *filter.limit) : *filter.limit;
  return std::min(limit, max_limit);
}

}  // namespace backplane::sync_api
