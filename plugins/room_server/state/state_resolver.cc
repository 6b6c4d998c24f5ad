#include "state/state_resolver.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "backplane/matrix/auth_rules.h"
#include "backplane/matrix/state_resolution.h"

namespace backplane::room_server {
namespace {

using matrix::StateKey;

class Source final : public matrix::EventSource {
 public:
  explicit Source(RoomEvents& events) : events_(events) {}

  Found find(const EventId& event_id) override {
    auto known = events_.find_event(event_id);
    if (!known) {
      if (!failure_) failure_ = std::move(known).error();
      return {};
    }
    if (!*known) return {};
    return {(*known)->event, (*known)->rejected};
  }
  const std::optional<Error>& failure() const { return failure_; }

 private:
  RoomEvents& events_;
  std::optional<Error> failure_;
};

/// What two or more states say of the room, by number.
struct Comparison {
  std::span<const StateSnapshotPointer> states;
  std::vector<StateNumber> in_conflict;  ///< sorted
  /// In room version 1: what only some of the states have, and all those the same.
  StateDelta added;

  bool is_in_conflict(StateNumber number) const { return std::ranges::binary_search(in_conflict, number); }
  /// What all the states say.
  std::uint32_t common(StateNumber number) const {
    if (is_in_conflict(number)) return 0;
    if (const std::uint32_t ordinal = states.front()->find(number)) return ordinal;
    const auto at = std::ranges::lower_bound(added, number, {}, &StateEntry::number);
    return at != added.end() && at->number == number ? at->ordinal : 0;
  }
};

class Common final : public matrix::CommonState {
 public:
  Common(const Comparison& comparison, const AuthIndex& auth_index, RoomEvents& events)
      : comparison_(comparison), auth_index_(auth_index), events_(events) {}

  EventId find(const StateKey& key) override {
    const StateNumber number = events_.find_number(key.type, key.state_key);
    const std::uint32_t ordinal = number != 0 ? comparison_.common(number) : 0;
    if (ordinal == 0) return {};
    auto known = events_.get_event(ordinal);
    if (known) return known->event.event_id();
    if (!failure_) failure_ = std::move(known).error();
    return {};
  }

  Result<void> remove_cited(std::vector<EventId>& event_ids) override {
    std::vector<EventId> left;
    for (EventId& event_id : event_ids) {
      BACKPLANE_TRY(known, events_.find_event(event_id));
      const bool cited = known && auth_index_.is_cited(known->ordinal, [&](std::uint32_t ordinal, StateNumber number) {
        return comparison_.common(number) == ordinal;
      });
      if (!cited) left.push_back(std::move(event_id));
    }
    event_ids = std::move(left);
    return {};
  }
  const std::optional<Error>& failure() const { return failure_; }

 private:
  const Comparison& comparison_;
  const AuthIndex& auth_index_;
  RoomEvents& events_;
  std::optional<Error> failure_;
};

Comparison compare(const matrix::RoomVersion& version, std::span<const StateSnapshotPointer> states) {
  Comparison comparison{states, {}, {}};
  const bool absence_is_conflict = version.state_resolution != matrix::StateResolution::v1;
  for (const StateNumber number : differing_numbers(states)) {
    std::uint32_t present = 0;
    bool differs = false;
    bool absent = false;
    for (const StateSnapshotPointer& state : states) {
      const std::uint32_t ordinal = state->find(number);
      absent = absent || ordinal == 0;
      if (ordinal == 0) continue;
      differs = differs || (present != 0 && ordinal != present);
      present = ordinal;
    }
    if (differs || (absent && absence_is_conflict)) comparison.in_conflict.push_back(number);
    else if (states.front()->find(number) == 0) comparison.added.push_back({number, present});
  }
  return comparison;
}

/// Whether the rules are about to say of the event what they said when it came: it is the only one of its type and
/// state key, what it cites is what all the states agree on, and it gives nobody power.
///
/// Then it is in the resolution (versions 2 and 2.1), whatever the order: it is in conflict, so it is asked of the
/// rules by what it cites, or by what is agreed on, which is the same.
Result<bool> is_undisputed(const matrix::RoomVersion& version, const Comparison& comparison, StateNumber number,
                           std::uint32_t ordinal, const AuthIndex& auth_index, RoomEvents& events) {
  BACKPLANE_TRY(known, events.get_event(ordinal));
  const matrix::Event& event = known.event;
  const bool is_member = event.type() == "m.room.member";
  const bool moves_another = is_member && event.state_key() != event.sender().view();
  if (known.rejected || moves_another || event.type() == "m.room.create" || event.type() == "m.room.power_levels" ||
      event.type() == "m.room.join_rules")
    return false;
  const std::vector<StateEntry> cited = auth_index.auth_events(ordinal);
  const bool agreed = std::ranges::all_of(cited, [&](const StateEntry& entry) {
    return entry.number != 0 && comparison.common(entry.number) == entry.ordinal;
  });
  if (!agreed) return false;
  const auto required = matrix::required_auth_events(matrix::AuthSubject::of(event), version);
  return std::ranges::all_of(required, [&](const matrix::StateEntry& entry) {
    const StateNumber of = events.find_number(entry.type, entry.state_key);
    if (of == 0 || of == number) return true;
    if (comparison.is_in_conflict(of)) return false;
    const std::uint32_t agreed_ordinal = comparison.common(of);
    return agreed_ordinal == 0 || std::ranges::find(cited, agreed_ordinal, &StateEntry::ordinal) != cited.end();
  });
}

/// The one event that the states have of a type and state key in conflict; 0 when there are several.
std::uint32_t only_candidate(const Comparison& comparison, StateNumber number) {
  std::uint32_t only = 0;
  for (const StateSnapshotPointer& state : comparison.states) {
    const std::uint32_t ordinal = state->find(number);
    if (ordinal == 0) continue;
    if (only != 0 && only != ordinal) return 0;
    only = ordinal;
  }
  return only;
}

/// Most branches differ by who has joined on one of them. Their resolution, if there is no more to it.
Result<std::optional<StateDelta>> resolve_undisputed(const matrix::RoomVersion& version, const Comparison& comparison,
                                                     const AuthIndex& auth_index, RoomEvents& events) {
  if (version.state_resolution == matrix::StateResolution::v1) return std::optional<StateDelta>();
  StateDelta delta;
  for (const StateNumber number : comparison.in_conflict) {
    const std::uint32_t ordinal = only_candidate(comparison, number);
    if (ordinal == 0) return std::optional<StateDelta>();
    BACKPLANE_TRY(undisputed, is_undisputed(version, comparison, number, ordinal, auth_index, events));
    if (!undisputed) return std::optional<StateDelta>();
    if (comparison.states.front()->find(number) != ordinal) delta.push_back({number, ordinal});
  }
  return std::optional(std::move(delta));
}

Result<matrix::StateConflicts> name_conflicts(const Comparison& comparison, RoomEvents& events) {
  matrix::StateConflicts conflicts;
  for (const StateNumber number : comparison.in_conflict) {
    std::map<EventId, std::vector<std::size_t>> holders;
    StateKey key;
    for (std::size_t i = 0; i < comparison.states.size(); ++i) {
      const std::uint32_t ordinal = comparison.states[i]->find(number);
      if (ordinal == 0) continue;
      BACKPLANE_TRY(known, events.get_event(ordinal));
      key = {std::string(known.event.type()), std::string(known.event.state_key().value_or(""))};
      holders[known.event.event_id()].push_back(i);
    }
    conflicts.emplace(std::move(key), std::move(holders));
  }
  return conflicts;
}

}  // namespace

Result<StateDelta> resolve_snapshots(const matrix::RoomVersion& version, std::span<const StateSnapshotPointer> states,
                                     const AuthIndex& auth_index, RoomEvents& events) {
  const Comparison comparison = compare(version, states);
  if (comparison.in_conflict.empty()) return comparison.added;
  BACKPLANE_TRY(undisputed, resolve_undisputed(version, comparison, auth_index, events));
  if (undisputed) return std::move(*undisputed);

  BACKPLANE_TRY(conflicts, name_conflicts(comparison, events));
  Common common(comparison, auth_index, events);
  Source source(events);
  auto resolved = matrix::resolve_conflicts(version, conflicts, states.size(), common, source);
  if (source.failure()) return *source.failure();
  if (common.failure()) return *common.failure();
  if (!resolved) return std::move(resolved).error();

  std::map<StateNumber, std::uint32_t> change;
  for (const StateEntry& entry : comparison.added) change[entry.number] = entry.ordinal;
  for (const StateNumber number : comparison.in_conflict) change[number] = 0;
  for (const auto& [key, event_id] : *resolved) {
    BACKPLANE_TRY(known, events.find_event(event_id));
    const StateNumber number = events.find_number(key.type, key.state_key);
    if (!known || number == 0) return internal_error("resolved state that the room never had");
    change[number] = known->ordinal;
  }
  StateDelta delta;
  for (const auto& [number, ordinal] : change) {
    if (states.front()->find(number) != ordinal) delta.push_back({number, ordinal});
  }
  return delta;
}

}  // namespace backplane::room_server
