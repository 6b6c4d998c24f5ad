// An event of a room: a handle to immutable bytes, the canonical JSON in the format that servers exchange (no event id
// in it from room version 3 on, references with hashes in it before), with quick access to what is asked for often.
// Everyone who deals with rooms uses it.
//
// A handle is as cheap to copy as a shared_ptr; any thread may read an event. What accessors answer by view or
// reference lives as long as some handle does.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/export.h"
#include "backplane/base/json.h"
#include "backplane/base/result.h"
#include "backplane/matrix/ids.h"
#include "backplane/matrix/room_version.h"

namespace backplane::matrix {

constexpr std::size_t max_event_bytes = 65536;    ///< Client-Server API, "Size limits"
constexpr std::size_t max_event_key_bytes = 255;  ///< of sender, room_id, state_key, type, event_id
constexpr std::size_t max_prev_events = 20;
constexpr std::size_t max_auth_events = 10;

/// Whether an event may have only so many prev_events and auth_events. Spec: Server-Server API, GET /backfill: "The
/// response of backfill MUST NOT be validated on these specific restrictions".
enum class ReferenceLimits : std::uint8_t { checked, unchecked };

class BACKPLANE_API Event {
 public:
  Event() = default;  ///< no event: tests false, and nothing else may be asked of it
  explicit operator bool() const { return data_ != nullptr; }

  /// For canonical JSON that this server made or accepted before: one scan, nothing is checked.
  static Event from_stored(std::string json, EventId event_id, const RoomVersion& version);

  /// For what another server sent: checks the format of the room version and all size limits, makes the bytes
  /// canonical, drops `unsigned` (no signature covers it), computes the id (in room versions 1 and 2 takes the one that
  /// it carries) and compares the content hash; when that does not match, answers the redacted event, as the
  /// specification says. Signatures are for the caller to check (event_hash.h). Errors: invalid/bad_json,
  /// invalid/too_large. Those of the specification's "Checks performed on receipt of a PDU" that are 1 and 3.
  static Result<Event> parse_untrusted(json::View event, const RoomVersion& version,
                                       ReferenceLimits limits = ReferenceLimits::checked);
  /// As above, and errors of json::Document::parse.
  static Result<Event> parse_untrusted(std::string_view json, const RoomVersion& version,
                                       ReferenceLimits limits = ReferenceLimits::checked);

  const RoomVersion& room_version() const;
  std::string_view json() const;  ///< canonical
  const EventId& event_id() const;
  const RoomId& room_id() const;  ///< of a version 12 create event too, which does not carry it
  bool carries_room_id() const;
  const UserId& sender() const;
  std::string_view type() const;
  std::optional<std::string_view> state_key() const;  ///< empty for message events
  bool is_state() const { return state_key().has_value(); }
  bool is_state(std::string_view type, std::string_view state_key) const;
  std::int64_t depth() const;
  std::int64_t origin_server_ts() const;
  std::string_view content() const;        ///< raw JSON object
  std::string_view signatures() const;     ///< raw JSON object
  std::string_view unsigned_data() const;  ///< raw JSON object, or empty
  /// What an m.room.redaction event redacts: in its content from room version 11 on, beside it before. Scans.
  std::optional<EventId> redacts() const;
  std::string_view prev_events_raw() const;  ///< raw JSON array, in the format of the room version
  std::vector<EventId> prev_events() const;  ///< scans
  std::vector<EventId> auth_events() const;  ///< scans
  /// What it costs to keep, for caches.
  std::size_t memory_bytes() const;

  bool operator==(const Event& other) const;  ///< same id

 private:
  struct Data;
  explicit Event(std::shared_ptr<const Data> data);
  std::shared_ptr<const Data> data_;
};

}  // namespace backplane::matrix
