// The parts of state resolution. An event that the source does not know counts as not being there and is noted;
// resolve_state() then answers an error in place of the result.
#pragma once

#include <optional>
#include <span>
#include <unordered_map>

#include "backplane/matrix/state_resolution.h"
#include "matrix/state_conflicts.h"

namespace backplane::matrix::resolution {

/// Events of the source, each asked for once.
class LoadedEvents {
 public:
  explicit LoadedEvents(EventSource& source) : source_(source) {}
  LoadedEvents(const LoadedEvents&) = delete;
  LoadedEvents& operator=(const LoadedEvents&) = delete;

  void expect(std::span<const EventId> event_ids) { source_.expect(event_ids); }
  /// The reference holds until the end.
  const EventSource::Found& find(const EventId& event_id) {
    const auto [at, is_new] = found_.try_emplace(event_id);
    if (is_new) at->second = find_once(event_id);
    return at->second;
  }
  /// Is not kept: for events that are looked at once.
  EventSource::Found find_once(const EventId& event_id) {
    EventSource::Found found = source_.find(event_id);
    if (!found.event && !missing_) missing_ = event_id;
    return found;
  }
  const std::optional<EventId>& missing() const { return missing_; }

 private:
  EventSource& source_;
  std::unordered_map<EventId, EventSource::Found> found_;
  std::optional<EventId> missing_;
};

/// Room version 1, "State resolution".
StateMap resolve_v1(const RoomVersion& version, StateConflicts conflicts, LoadedEvents& events);
/// Room versions 2 and 12, "State resolution". `states`: how many there are.
StateMap resolve_v2(const RoomVersion& version, StateConflicts conflicts, std::size_t states, LoadedEvents& events);

}  // namespace backplane::matrix::resolution
