#include "routes/room_read.h"

#include <algorithm>

namespace backplane::sync_api {

namespace {
constexpr Duration follow_wait = std::chrono::seconds(1);
constexpr std::size_t default_limit = 10, max_limit = 1000;
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
    if (!f.history.ever_joined()) {
      f.visibility = store::find_state(s, *f.room, "m.room.history_visibility", "", no_bound - 1);
    }
    return f;
  }));
  if (!found.room) return not_allowed;
  read.room_ = *found.room;
  read.history_ = std::move(found.history);
  const Sequence end = read.history_.end();
  read.until_ = end;
  if (found.forgotten && end != no_bound && *found.forgotten > end) return not_allowed;
  if (!read.history_.ever_joined()) {
    // Peeking: what anyone may read.
    if (!found.visibility) return not_allowed;
    BACKPLANE_TRY(bodies, read.bodies_of({*found.visibility}));
    const auto it = bodies.find(found.visibility->event_id);
    if (it == bodies.end() ||
        matrix::history_visibility_in(it->second->event.content()) != matrix::HistoryVisibility::world_readable) {
      return not_allowed;
    }
    read.until_ = no_bound;
  }
  return read;
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
  std::vector<EventId> ids;
  ids.reserve(items.size());
  for (const StateItem& item : items) ids.push_back(item.event_id);
  return reader_->events.get(access_, ids);
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
    append(out, *body->second, entry->sequence, entry.get());
  }
  out += ']';
}

void RoomRead::append_state(std::string& out, const std::vector<StateItem>& items, const EventCache::Found& bodies,
                            const RoomEventFilter& filter) const {
  out += '[';
  bool first = true;
  for (const StateItem& item : items) {
    const auto body = bodies.find(item.event_id);
    if (body == bodies.end() || !filter.allows(item.type, body->second->event.sender().view())) continue;
    if (!first) out += ',';
    first = false;
    append(out, *body->second, item.since, nullptr);
  }
  out += ']';
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
