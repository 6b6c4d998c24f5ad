#include "backplane/matrix/power_levels.h"

#include <algorithm>
#include <charconv>

#include "backplane/base/json.h"
#include "base/json_scanner.h"

namespace backplane::matrix {
namespace {

std::optional<std::int64_t> find_entry(const PowerLevels::Entries& entries, std::string_view key) {
  const auto at = std::lower_bound(entries.begin(), entries.end(), key,
                                   [](const auto& entry, std::string_view k) { return entry.first < k; });
  return at != entries.end() && at->first == key ? std::optional(at->second) : std::nullopt;
}

Error not_integers(std::string_view name) {
  return invalid("bad_json", "'" + std::string(name) + "' is not an object with values that are integers");
}

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

/// Spec: room version 1: digits with leading zeroes, a sign before them, white space around.
std::optional<std::int64_t> level_in(std::string_view text) {
  constexpr std::string_view space = " \t\n\v\f\r";
  text.remove_prefix(std::min(text.find_first_not_of(space), text.size()));
  text = text.substr(0, text.find_last_not_of(space) + 1);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  std::uint64_t magnitude = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), magnitude);
  if (error != std::errc() || magnitude > static_cast<std::uint64_t>(highest)) return negative ? lowest : highest;
  return negative ? -static_cast<std::int64_t>(magnitude) : static_cast<std::int64_t>(magnitude);
}

/// Spec: room version 1: "the value is truncated at the decimal point".
std::int64_t level_in(double value) {
  constexpr double bound = 9223372036854775808.0;  // 2^63
  if (value >= bound) return highest;
  return value < -bound ? lowest : static_cast<std::int64_t>(value);
}

Result<PowerLevels::Entries> read_entries(json::View content, std::string_view name, bool user_ids,
                                          const RoomVersion& version) {
  PowerLevels::Entries out;
  const auto object = content.find(name);
  if (!object) return out;
  if (!object->is_object()) return not_integers(name);
  for (const auto& [key, value] : object->members()) {
    const auto level = power_level_of(value, version);
    if (!level) return not_integers(name);
    if (user_ids && !parse_user_id(key)) return invalid("bad_json", "a key of 'users' is not a user id");
    out.emplace_back(key, *level);
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

RoomCreation RoomCreation::of(const Event& create_event) {
  RoomCreation out;
  out.event_id = create_event.event_id();
  out.room_id = create_event.room_id();
  out.version = &create_event.room_version();
  out.sender = create_event.sender();
  const std::string_view content = create_event.content();
  out.creator = out.version->creator_is_sender
                    ? out.sender
                    : UserId(json::find_raw_string(content, "creator").value_or(std::string()));
  out.creators.push_back(out.creator);
  if (out.version->privileged_creators) {
    json::each_raw_element(json::find_raw(content, "additional_creators").value_or(""), [&](std::string_view raw) {
      if (auto user = json::unquote(raw); user && !out.is_creator(*user)) out.creators.emplace_back(*std::move(user));
    });
  }
  out.federate = json::find_raw(content, "m.federate") != "false";
  return out;
}

bool RoomCreation::is_creator(std::string_view user) const {
  return std::any_of(creators.begin(), creators.end(), [&](const UserId& each) { return each.view() == user; });
}

std::string_view to_string(PowerLevels::Property property) {
  using Property = PowerLevels::Property;
  switch (property) {
    case Property::users_default: return "users_default";
    case Property::events_default: return "events_default";
    case Property::state_default: return "state_default";
    case Property::ban: return "ban";
    case Property::redact: return "redact";
    case Property::kick: return "kick";
    case Property::invite: return "invite";
  }
  return "";
}

std::optional<std::int64_t> power_level_of(json::View value, const RoomVersion& version) {
  if (const auto level = value.as_integer()) return level;
  if (version.integer_power_levels) return std::nullopt;
  if (const auto text = value.as_string()) return level_in(*text);
  if (version.strict_canonical_json) return std::nullopt;
  const auto real = value.as_real();
  return real ? std::optional(level_in(*real)) : std::nullopt;
}

PowerLevels::PowerLevels(const RoomCreation& creation)
    : privileged_creators_(creation.version != nullptr && creation.version->privileged_creators) {
  for (const auto& creator : creation.creators) creators_.push_back(creator.str());
}

Result<PowerLevels> PowerLevels::parse(std::string_view content, const RoomCreation& creation) {
  BACKPLANE_TRY(document, json::Document::parse_object(content));
  const json::View root = document.root();
  // A room without a create event has no version either; nothing is allowed in it.
  const RoomVersion& version = creation.version != nullptr ? *creation.version : *find_room_version("12");
  PowerLevels out(creation);
  out.has_event_ = true;
  for (const Property property : properties) {
    const auto value = root.find(to_string(property));
    if (!value) continue;
    const auto level = power_level_of(*value, version);
    if (!level) return invalid("bad_json", "'" + std::string(to_string(property)) + "' is not an integer");
    out.named_[static_cast<std::size_t>(property)] = *level;
  }
  BACKPLANE_TRY(events, read_entries(root, "events", false, version));
  BACKPLANE_TRY(notifications, read_entries(root, "notifications", false, version));
  BACKPLANE_TRY(users, read_entries(root, "users", true, version));
  out.events_ = std::move(events);
  out.notifications_ = std::move(notifications);
  out.users_ = std::move(users);
  return out;
}

std::int64_t PowerLevels::of_user(std::string_view user) const {
  const bool creator = std::find(creators_.begin(), creators_.end(), user) != creators_.end();
  // Spec: room version 12: "The power level of room creators is infinitely high."
  if (creator && privileged_creators_) return infinite;
  // Spec: m.room.power_levels: without the event the room's creator has 100, all others 0.
  if (!has_event_) return creator ? 100 : 0;
  return find_entry(users_, user).value_or(get(Property::users_default));
}

std::int64_t PowerLevels::to_send(std::string_view type, bool is_state) const {
  return find_entry(events_, type).value_or(get(is_state ? Property::state_default : Property::events_default));
}

std::int64_t PowerLevels::get(Property property) const {
  if (const auto level = named(property)) return *level;
  switch (property) {
    case Property::users_default:
    case Property::events_default:
    case Property::invite: return 0;
    case Property::state_default:
    case Property::ban:
    case Property::redact:
    case Property::kick: return 50;
  }
  return 50;
}

std::int64_t PowerLevels::notification(std::string_view key) const {
  return find_entry(notifications_, key).value_or(50);
}

}  // namespace backplane::matrix
