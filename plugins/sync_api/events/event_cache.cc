#include "events/event_cache.h"

#include <algorithm>

#include "backplane/base/json.h"
#include "backplane/matrix/room_version.h"

namespace backplane::sync_api {
namespace {

constexpr std::size_t batch_size = 100;
constexpr std::size_t max_versions_kept = 4096;

}  // namespace

Error would_block() { return unavailable("would_block", "this must be asked where waiting is allowed"); }
bool is_would_block(const Error& error) {
  return error.code == ErrorCode::unavailable && error.reason == "would_block";
}

EventPtr make_client_event(const EventId& event_id, const json::Raw& event, const RoomVersionId& version,
                           std::int64_t content_version) {
  const auto* room_version = matrix::find_room_version(version);
  if (room_version == nullptr || event.empty()) return nullptr;
  auto made = std::make_shared<ClientEvent>();
  made->event = matrix::Event::from_stored(event.text, event_id, *room_version);
  made->body = matrix::client_event_body(made->event);
  made->content_version = content_version;
  if (const auto data = made->event.unsigned_data(); !data.empty()) {
    made->prev_content = json::find_raw(data, "prev_content").value_or("");
    made->redacted_because = json::find_raw(data, "redacted_because").value_or("");
    made->replaces_state = json::find_raw_string(data, "replaces_state").value_or("");
  }
  return made;
}

void append_event(std::string& out, const ClientEvent& event, std::string_view room_id, const ReaderParts& reader) {
  matrix::UnsignedParts parts;
  parts.age = std::max<std::int64_t>(0, reader.now_ms - event.event.origin_server_ts());
  parts.membership = reader.membership;
  parts.transaction_id = reader.transaction_id;
  parts.prev_content = event.prev_content;
  parts.replaces_state = event.replaces_state;
  parts.redacted_because = event.redacted_because;
  parts.more_members = event.more_members;
  matrix::append_client_event(out, event.body, room_id, parts);
}

void EventCache::insert(const EventPtr& event) {
  if (event == nullptr) return;
  const EventId& id = event->event.event_id();
  const std::lock_guard lock(mutex_);
  if (const auto least = least_version_.find(id); least != least_version_.end()) {
    if (event->content_version < least->second) return;
  }
  if (const auto kept = cache_.find(id); kept && kept->content_version > event->content_version) return;
  cache_.insert(id, event, event->bytes());
}

void EventCache::raise(const EventId& event_id, std::int64_t content_version) {
  const std::lock_guard lock(mutex_);
  if (least_version_.size() >= max_versions_kept) least_version_.clear();
  auto& least = least_version_[event_id];
  least = std::max(least, content_version);
  if (const auto kept = cache_.find(event_id); kept && kept->content_version < least) cache_.erase(event_id);
}

Result<EventCache::Found> EventCache::get(const Access& access, std::span<const EventId> event_ids) {
  return find_or_ask(access, event_ids, true);
}

Result<void> EventCache::each(const Access& access, std::span<const EventId> event_ids,
                              const std::function<void(std::size_t place, const ClientEvent& event)>& use) {
  for (std::size_t begin = 0; begin < event_ids.size(); begin += held_at_once) {
    const auto some = event_ids.subspan(begin, std::min(held_at_once, event_ids.size() - begin));
    BACKPLANE_TRY(found, find_or_ask(access, some, false));
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (const auto event = found.find(some[i]); event != found.end()) use(begin + i, *event->second);
    }
  }
  return {};
}

Result<EventCache::Found> EventCache::find_or_ask(const Access& access, std::span<const EventId> event_ids, bool keep) {
  Found found;
  found.reserve(event_ids.size());
  api::GetEventsRequest request;
  for (const EventId& id : event_ids) {
    auto [it, is_new] = found.try_emplace(id);
    if (!is_new) continue;
    it->second = cache_.find(id);
    if (it->second == nullptr) request.event_ids.push_back(id);
  }
  if (request.event_ids.empty()) return found;
  if (!access.may_block) return would_block();

  const std::vector<EventId> missing = std::move(request.event_ids);
  for (std::size_t begin = 0; begin < missing.size(); begin += batch_size) {
    const auto end = std::min(begin + batch_size, missing.size());
    request.event_ids.assign(missing.begin() + static_cast<std::ptrdiff_t>(begin),
                             missing.begin() + static_cast<std::ptrdiff_t>(end));
    BACKPLANE_TRY(response, rooms_.get_events(access.context, request));
    for (const api::EventBody& body : response.events) {
      auto event = make_client_event(body.event_id, body.event, body.room_version, body.content_version);
      if (keep) insert(event);
      found[body.event_id] = std::move(event);
    }
  }
  std::erase_if(found, [](const auto& entry) { return entry.second == nullptr; });
  return found;
}

}  // namespace backplane::sync_api
