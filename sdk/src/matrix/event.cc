#include "backplane/matrix/event.h"

#include <charconv>

#include "matrix/event_references.h"

namespace backplane::matrix {
namespace {

std::int64_t integer_of(std::string_view raw) {
  std::int64_t value = 0;
  std::from_chars(raw.data(), raw.data() + raw.size(), value);
  return value;
}

std::string string_of(std::string_view raw) {
  std::string_view plain;
  return json::plain_string(raw, plain) ? std::string(plain) : json::unquote(raw).value_or("");
}

std::vector<EventId> ids_of(std::string_view raw_array, const RoomVersion& version) {
  std::vector<EventId> out;
  each_reference(raw_array, version, [&](std::string_view raw) { out.emplace_back(string_of(raw)); });
  return out;
}

}  // namespace

struct Event::Data {
  std::string json;
  EventId event_id;
  const RoomVersion* version = nullptr;
  RoomId room_id;
  bool carries_room_id = true;
  UserId sender;
  std::string_view type;  // into json, or into unescaped
  std::optional<std::string_view> state_key;
  std::int64_t depth = 0;
  std::int64_t origin_server_ts = 0;
  std::string_view content = "{}";
  std::string_view signatures = "{}";
  std::string_view unsigned_data;
  std::string_view prev_events;
  std::string_view auth_events;
  std::string_view redacts;
  std::unique_ptr<std::string> unescaped_type, unescaped_state_key;  // only when they have escapes

  void index() {
    json::each_raw_member(json, [this](std::string_view key, std::string_view value) {
      take(key, value);
      return true;
    });
    if (room_id.empty() && version->room_id_format == RoomIdFormat::create_event_hash) {
      room_id = room_id_of_create_event(event_id);
      carries_room_id = false;
    }
  }

 private:
  void take(std::string_view key, std::string_view value) {
    if (key == "content") content = value;
    else if (key == "type") type = text(value, unescaped_type);
    else if (key == "sender") sender = UserId(string_of(value));
    else if (key == "room_id") room_id = RoomId(string_of(value));
    else if (key == "state_key") state_key = text(value, unescaped_state_key);
    else if (key == "depth") depth = integer_of(value);
    else if (key == "origin_server_ts") origin_server_ts = integer_of(value);
    else if (key == "prev_events") prev_events = value;
    else if (key == "auth_events") auth_events = value;
    else if (key == "signatures") signatures = value;
    else if (key == "unsigned") unsigned_data = value;
    else if (key == "redacts") redacts = value;
  }
  static std::string_view text(std::string_view raw, std::unique_ptr<std::string>& unescaped) {
    std::string_view plain;
    if (json::plain_string(raw, plain)) return plain;
    unescaped = std::make_unique<std::string>(string_of(raw));
    return *unescaped;
  }
};

Event::Event(std::shared_ptr<const Data> data) : data_(std::move(data)) {}

Event Event::from_stored(std::string json, EventId event_id, const RoomVersion& version) {
  auto data = std::make_shared<Data>();
  data->json = std::move(json);
  data->event_id = std::move(event_id);
  data->version = &version;
  data->index();
  return Event(std::move(data));
}

const RoomVersion& Event::room_version() const { return *data_->version; }
std::string_view Event::json() const { return data_->json; }
const EventId& Event::event_id() const { return data_->event_id; }
const RoomId& Event::room_id() const { return data_->room_id; }
bool Event::carries_room_id() const { return data_->carries_room_id; }
const UserId& Event::sender() const { return data_->sender; }
std::string_view Event::type() const { return data_->type; }
std::optional<std::string_view> Event::state_key() const { return data_->state_key; }
bool Event::is_state(std::string_view type, std::string_view state_key) const {
  return data_->state_key == state_key && data_->type == type;
}
std::int64_t Event::depth() const { return data_->depth; }
std::int64_t Event::origin_server_ts() const { return data_->origin_server_ts; }
std::string_view Event::content() const { return data_->content; }
std::string_view Event::signatures() const { return data_->signatures; }
std::string_view Event::unsigned_data() const { return data_->unsigned_data; }
std::string_view Event::prev_events_raw() const { return data_->prev_events; }
std::vector<EventId> Event::prev_events() const { return ids_of(data_->prev_events, *data_->version); }
std::vector<EventId> Event::auth_events() const { return ids_of(data_->auth_events, *data_->version); }

std::optional<EventId> Event::redacts() const {
  if (data_->type != "m.room.redaction") return std::nullopt;
  const std::string_view raw =
      data_->version->redacts_in_content ? json::find_raw(data_->content, "redacts").value_or("") : data_->redacts;
  auto id = json::unquote(raw);
  return id ? std::optional<EventId>(*std::move(id)) : std::nullopt;
}

std::size_t Event::memory_bytes() const {
  return sizeof(Data) + data_->json.capacity() + data_->event_id.str().capacity() + data_->room_id.str().capacity() +
         data_->sender.str().capacity();
}

bool Event::operator==(const Event& other) const {
  return data_ == other.data_ || (data_ && other.data_ && data_->event_id == other.data_->event_id);
}

}  // namespace backplane::matrix
