#include "backplane/matrix/state_resolution.h"

#include <unordered_set>
#include <utility>

#include "matrix/state_conflicts.h"
#include "matrix/state_resolution_detail.h"

namespace backplane::matrix {

EventSource::~EventSource() = default;
void EventSource::expect(std::span<const EventId>) {}
CommonState::~CommonState() = default;

namespace {

Error missing_event(const EventId& event_id) {
  return incomplete("missing_event", "state resolution lacks an event").with("event_id", event_id.view());
}

/// A map as the common state. It walks the auth chains of all of its events, or of as many as it takes.
class CommonMap final : public CommonState {
 public:
  CommonMap(const StateMap& map, EventSource& source) : map_(map), source_(source) {}

  EventId find(const StateKey& key) override {
    const auto at = map_.find(key);
    return at != map_.end() ? at->second : EventId();
  }

  Result<void> remove_cited(std::vector<EventId>& event_ids) override {
    std::unordered_set<EventId> left(event_ids.begin(), event_ids.end());
    std::unordered_set<EventId> asked;
    std::vector<EventId> wanted;
    for (const auto& [key, event_id] : map_) {
      if (asked.insert(event_id).second) wanted.push_back(event_id);
    }
    while (!wanted.empty() && !left.empty()) {
      source_.expect(wanted);
      std::vector<EventId> next;
      for (const EventId& id : wanted) {
        const Event event = source_.find(id).event;
        if (!event) return missing_event(id);
        for (EventId& auth_id : event.auth_events()) {
          left.erase(auth_id);
          if (asked.insert(auth_id).second) next.push_back(std::move(auth_id));
        }
        if (left.empty()) break;
      }
      wanted = std::move(next);
    }
    std::erase_if(event_ids, [&](const EventId& id) { return !left.contains(id); });
    return {};
  }

 private:
  const StateMap& map_;
  EventSource& source_;
};

}  // namespace

Result<StateMap> resolve_conflicts(const RoomVersion& version, const StateConflicts& conflicts, std::size_t states,
                                   CommonState& common, EventSource& source) {
  using namespace resolution;
  LoadedEvents events(source);
  auto resolved = version.state_resolution == StateResolution::v1
                      ? Result<StateMap>(resolve_v1(version, conflicts, common, events))
                      : resolve_v2(version, conflicts, states, common, events);
  if (const auto& missing = events.missing()) return missing_event(*missing);
  return resolved;
}

Result<StateMap> resolve_state(const RoomVersion& version, std::span<const StateMap> states, EventSource& source) {
  using namespace resolution;
  const bool v1 = version.state_resolution == StateResolution::v1;
  auto [common, conflicts] = split_states(states, v1 ? Absence::is_none : Absence::is_conflict);
  if (conflicts.empty()) return std::move(common);
  CommonMap common_map(common, source);
  BACKPLANE_TRY(resolved, resolve_conflicts(version, conflicts, states.size(), common_map, source));
  common.merge(resolved);
  return std::move(common);
}

}  // namespace backplane::matrix
