// What users may do in a room: the m.room.power_levels event, parsed once and asked often. room_server keeps one beside
// the head of each active room. Immutable: any thread.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backplane/base/export.h"
#include "backplane/base/json.h"
#include "backplane/base/result.h"
#include "backplane/matrix/event.h"
#include "backplane/matrix/ids.h"

namespace backplane::matrix {

/// What a room's create event settles for good, parsed once.
struct RoomCreation {
  EventId event_id;
  RoomId room_id;
  const RoomVersion* version = nullptr;
  UserId sender;
  UserId creator;                ///< content.creator until room version 10, then the sender
  std::vector<UserId> creators;  ///< the creator, and from room version 12 on content.additional_creators
  bool federate = true;          ///< content.m.federate
  bool operator==(const RoomCreation&) const = default;

  BACKPLANE_API static RoomCreation of(const Event& create_event);
  BACKPLANE_API bool is_creator(std::string_view user) const;
};

class BACKPLANE_API PowerLevels {
 public:
  /// The level of a creator from room version 12 on: above every level that an event can name.
  static constexpr std::int64_t infinite = std::numeric_limits<std::int64_t>::max();
  /// The properties that are single levels.
  enum class Property : std::uint8_t { users_default, events_default, state_default, ban, redact, kick, invite };
  static constexpr std::array<Property, 7> properties{
      Property::users_default, Property::events_default, Property::state_default, Property::ban,
      Property::redact,        Property::kick,           Property::invite};
  /// Sorted by key.
  using Entries = std::vector<std::pair<std::string, std::int64_t>>;

  /// A room without the event.
  explicit PowerLevels(const RoomCreation& creation);
  /// From the content of the event (JSON). Until room version 9 levels may be strings, until 5 reals
  /// ("m.room.power_levels events accept values as strings", "… as floats"). Errors: invalid/bad_json naming what is no
  /// level, for room versions from 10 on what rules 9.1 to 9.3 of version 10 refuse.
  static Result<PowerLevels> parse(std::string_view content, const RoomCreation& creation);

  bool has_event() const { return has_event_; }
  std::int64_t of_user(std::string_view user) const;
  std::int64_t of_user(const UserId& user) const { return of_user(user.view()); }
  /// What it takes to send an event of that type (not a membership).
  std::int64_t to_send(std::string_view type, bool is_state) const;
  /// The level, or the specification's default for it.
  std::int64_t get(Property property) const;
  std::int64_t ban() const { return get(Property::ban); }
  std::int64_t redact() const { return get(Property::redact); }
  std::int64_t kick() const { return get(Property::kick); }
  std::int64_t invite() const { return get(Property::invite); }
  /// What it takes to cause that kind of notification (`room`); 50 by default.
  std::int64_t notification(std::string_view key) const;

  /// What the event itself names, for comparing two of them.
  std::optional<std::int64_t> named(Property property) const { return named_[static_cast<std::size_t>(property)]; }
  const Entries& users() const { return users_; }
  const Entries& events() const { return events_; }
  const Entries& notifications() const { return notifications_; }

 private:
  bool has_event_ = false;
  std::array<std::optional<std::int64_t>, 7> named_{};
  Entries users_, events_, notifications_;
  std::vector<std::string> creators_;
  bool privileged_creators_ = false;
};

BACKPLANE_API std::string_view to_string(PowerLevels::Property property);
/// The level that a value of an m.room.power_levels event stands for in the room version; nothing when it is none.
/// What no 64-bit integer can hold, which only old room versions let pass, counts as the nearest one that can.
BACKPLANE_API std::optional<std::int64_t> power_level_of(json::View value, const RoomVersion& version);

}  // namespace backplane::matrix
