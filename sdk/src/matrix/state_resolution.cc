#include "backplane/matrix/state_resolution.h"

#include "matrix/state_resolution_detail.h"

namespace backplane::matrix {

EventSource::~EventSource() = default;
void EventSource::expect(std::span<const EventId>) {}

Result<StateMap> resolve_state(const RoomVersion& version, std::span<const StateMap> states, EventSource& source) {
  using namespace resolution;
  const bool v1 = version.state_resolution == StateResolution::v1;
  StateConflicts conflicts = find_conflicts(states, v1 ? Absence::is_none : Absence::is_conflict);
  if (conflicts.conflicted.empty()) return std::move(conflicts.unconflicted);
  LoadedEvents events(source);
  StateMap resolved = v1 ? resolve_v1(version, std::move(conflicts), events)
                         : resolve_v2(version, std::move(conflicts), states.size(), events);
  if (const auto& missing = events.missing()) {
    return Error(ErrorCode::incomplete, "missing_event", "state resolution lacks an event")
        .with("event_id", missing->view());
  }
  return resolved;
}

}  // namespace backplane::matrix
