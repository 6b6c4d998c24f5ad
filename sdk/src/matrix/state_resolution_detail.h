// The parts of state resolution. An event that the source does not know counts as not being there and is noted;
// resolve_state() then answers an error in place of the result.
#pragma once

#include <optional>
#include <span>
#include <unordered_map>

#include "backplane/matrix/state_resolution.h"

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
    if (is_new) {
      at->second = source_.find(event_id);
      if (!at->second.event && !missing_) missing_ = event_id;
    }
    return at->second;
  }
  const std::optional<EventId>& missing() const { return missing_; }

 private:
  EventSource& source_;
  std::unordered_map<EventId, EventSource::Found> found_;
  std::optional<EventId> missing_;
};

/// Room version 1, "State resolution". Answers what each key in conflict comes to.
StateMap resolve_v1(const RoomVersion& version, const StateConflicts& conflicts, CommonState& common,
                    LoadedEvents& events);
/// Room versions 2 and 12, "State resolution". `states`: how many there are. Answers what differs from the common
/// state.
Result<StateMap> resolve_v2(const RoomVersion& version, const StateConflicts& conflicts, std::size_t states,
                            CommonState& common, LoadedEvents& events);

}  // namespace backplane::matrix::resolution
