#include "filter.h"

#include <algorithm>
#include <limits>

namespace backplane::sync_api {
namespace {

constexpr std::size_t max_entries = 1000;

bool matches(std::string_view pattern, std::string_view text) {
  // `*` matches any characters: go back to the last one when what follows it does not fit.
  std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}
bool contains_match(const std::vector<std::string>& list, std::string_view text) {
  return std::any_of(list.begin(), list.end(), [&](const std::string& pattern) { return matches(pattern, text); });
}

Result<void> read_list(json::View object, std::string_view key, std::optional<std::vector<std::string>>& out) {
  BACKPLANE_TRY(array, object.get_optional_array(key));
  if (!array) return {};
  if (array->size() > max_entries) return invalid("bad_json", "'" + std::string(key) + "' is too long");
  auto& list = out.emplace();
  for (const json::View element : array->elements()) {
    const auto text = element.as_string();
    if (!text) return invalid("bad_json", "'" + std::string(key) + "' must be a list of strings");
    list.emplace_back(*text);
  }
  return {};
}
Result<void> read_list(json::View object, std::string_view key, std::vector<std::string>& out) {
  std::optional<std::vector<std::string>> list;
  BACKPLANE_CHECK(read_list(object, key, list));
  if (list) out = std::move(*list);
  return {};
}
Result<void> read_flag(json::View object, std::string_view key, bool& out) {
  BACKPLANE_TRY(flag, object.get_optional_boolean(key));
  out = flag.value_or(out);
  return {};
}

Result<void> read_event_filter(json::View object, EventFilter& out) {
  BACKPLANE_TRY(limit, object.get_optional_integer("limit"));
  if (limit) {
    if (*limit < 0) return invalid("bad_json", "'limit' must be greater than 0");
    out.limit = static_cast<std::uint32_t>(std::min<std::int64_t>(*limit, std::numeric_limits<std::uint32_t>::max()));
  }
  BACKPLANE_CHECK(read_list(object, "types", out.types));
  BACKPLANE_CHECK(read_list(object, "not_types", out.not_types));
  BACKPLANE_CHECK(read_list(object, "senders", out.senders));
  BACKPLANE_CHECK(read_list(object, "not_senders", out.not_senders));
  return {};
}

Result<void> read_room_event_filter(json::View object, RoomEventFilter& out) {
  BACKPLANE_CHECK(read_event_filter(object, out));
  BACKPLANE_CHECK(read_list(object, "rooms", out.rooms));
  BACKPLANE_CHECK(read_list(object, "not_rooms", out.not_rooms));
  BACKPLANE_TRY(contains_url, object.get_optional_boolean("contains_url"));
  out.contains_url = contains_url;
  BACKPLANE_CHECK(read_flag(object, "lazy_load_members", out.lazy_load_members));
  BACKPLANE_CHECK(read_flag(object, "include_redundant_members", out.include_redundant_members));
  BACKPLANE_CHECK(read_flag(object, "unread_thread_notifications", out.unread_thread_notifications));
  return {};
}

template <class Read, class Part>
Result<void> read_part(json::View object, std::string_view key, Read read, Part& out) {
  BACKPLANE_TRY(part, object.get_optional_object(key));
  if (!part) return {};
  return read(*part, out);
}

}  // namespace

bool EventFilter::allows_type(std::string_view type) const {
  if (types && !contains_match(*types, type)) return false;
  return not_types.empty() || !contains_match(not_types, type);
}

bool EventFilter::allows_sender(std::string_view sender) const {
  if (senders && !contains(*senders, sender)) return false;
  return not_senders.empty() || !contains(not_senders, sender);
}

bool RoomEventFilter::allows_room(std::string_view room) const {
  if (rooms && !contains(*rooms, room)) return false;
  return not_rooms.empty() || !contains(not_rooms, room);
}

bool RoomEventFilter::allows_content(std::string_view content) const {
  return !contains_url || *contains_url == json::find_raw(content, "url").has_value();
}

bool Filter::allows_room(std::string_view room) const {
  if (rooms && !contains(*rooms, room)) return false;
  return not_rooms.empty() || !contains(not_rooms, room);
}

Result<Filter> parse_filter(json::View object) {
  Filter filter;
  BACKPLANE_TRY(format, object.get_optional_string("event_format"));
  if (format && *format != "client" && *format != "federation") {
    return invalid("bad_json", "'event_format' must be client or federation");
  }
  if (format && *format == "federation") filter.format = Filter::Format::federation;
  BACKPLANE_CHECK(read_list(object, "event_fields", filter.event_fields));
  BACKPLANE_CHECK(read_part(object, "presence", read_event_filter, filter.presence));
  BACKPLANE_CHECK(read_part(object, "account_data", read_event_filter, filter.account_data));
  BACKPLANE_TRY(room, object.get_optional_object("room"));
  if (!room) return filter;
  BACKPLANE_CHECK(read_list(*room, "rooms", filter.rooms));
  BACKPLANE_CHECK(read_list(*room, "not_rooms", filter.not_rooms));
  BACKPLANE_CHECK(read_flag(*room, "include_leave", filter.include_leave));
  BACKPLANE_CHECK(read_part(*room, "state", read_room_event_filter, filter.state));
  BACKPLANE_CHECK(read_part(*room, "timeline", read_room_event_filter, filter.timeline));
  BACKPLANE_CHECK(read_part(*room, "ephemeral", read_room_event_filter, filter.ephemeral));
  BACKPLANE_CHECK(read_part(*room, "account_data", read_room_event_filter, filter.room_account_data));
  return filter;
}

Result<Filter> parse_filter(std::string_view text) {
  BACKPLANE_TRY(document, json::Document::parse_object(text));
  return parse_filter(document.root());
}

Result<RoomEventFilter> parse_room_event_filter(std::string_view text) {
  BACKPLANE_TRY(document, json::Document::parse_object(text));
  RoomEventFilter filter;
  BACKPLANE_CHECK(read_room_event_filter(document.root(), filter));
  return filter;
}

}  // namespace backplane::sync_api
