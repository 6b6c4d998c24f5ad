// The resolution of snapshots against that of maps, on random graphs of rooms in which users fight.
#include "state/state_resolver.h"

#include <gtest/gtest.h>

#include <map>

#include "unit/sdk/matrix/room_fight.h"

namespace backplane::room_server {
namespace {

using matrix::StateKey;
using matrix::StateMap;

/// The events of a graph under numbers, and its states as snapshots.
class NumberedRoom final : public RoomEvents {
 public:
  explicit NumberedRoom(matrix::RoomGraph& graph) : graph_(graph) {
    for (const EventId& id : graph.events()) {
      const matrix::Event event = graph.find(id).event;
      const auto ordinal = static_cast<std::uint32_t>(first + ids_.size());
      ids_.push_back(id);
      ordinals_[id] = ordinal;
      if (!event.is_state()) continue;
      const StateKey key{std::string(event.type()), std::string(*event.state_key())};
      numbers_.emplace(key, static_cast<StateNumber>(numbers_.size() + 1));
      std::vector<std::uint32_t> auth_events;
      for (const EventId& auth_id : event.auth_events()) auth_events.push_back(ordinals_.at(auth_id));
      index.add(ordinal, numbers_.at(key), auth_events);
    }
  }

  /// By way of two snapshots, so that chains matter.
  StateSnapshotPointer snapshot(const StateMap& state) {
    StateDelta whole;
    std::map<StateNumber, std::uint32_t> entries;
    for (const auto& [key, id] : state) entries[numbers_.at(key)] = ordinals_.at(id);
    StateDelta half;
    for (const auto& [number, ordinal] : entries) {
      whole.push_back({number, ordinal});
      if (number % 2 == 0) half.push_back({number, first});
    }
    last_ += 2;
    return StateSnapshot::make(last_, half.empty() ? nullptr : StateSnapshot::make(last_ - 1, nullptr, half), whole);
  }
  StateMap map(const StateSnapshotPointer& snapshot) {
    StateMap state;
    for (const auto& [key, number] : numbers_) {
      if (const std::uint32_t ordinal = snapshot->find(number)) state[key] = ids_.at(ordinal - first);
    }
    return state;
  }

  Result<KnownEvent> get_event(std::uint32_t ordinal) override {
    auto known = find_event(ids_.at(ordinal - first));
    return std::move(**known);
  }
  Result<std::optional<KnownEvent>> find_event(const EventId& event_id) override {
    const auto found = graph_.find(event_id);
    if (!found.event) return std::optional<KnownEvent>();
    return std::optional<KnownEvent>(KnownEvent{found.event, ordinals_.at(event_id), found.rejected});
  }
  StateNumber find_number(std::string_view type, std::string_view state_key) override {
    const auto at = numbers_.find({std::string(type), std::string(state_key)});
    return at != numbers_.end() ? at->second : 0;
  }

  AuthIndex index;

 private:
  static constexpr std::uint32_t first = 1U << 31;
  matrix::RoomGraph& graph_;
  std::int64_t last_ = 0;  // number of a snapshot
  std::vector<EventId> ids_;
  std::map<EventId, std::uint32_t> ordinals_;
  std::map<StateKey, StateNumber> numbers_;
};

class StateResolverTest : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Versions, StateResolverTest, ::testing::Values("1", "2", "10", "12"));

TEST_P(StateResolverTest, comes_to_what_maps_come_to) {
  const matrix::RoomVersion& version = *matrix::find_room_version(GetParam());
  std::size_t changes = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    matrix::Fight fight(version, seed);
    fight.grow(40);
    NumberedRoom numbered(fight.room);
    for (int i = 0; i < 4; ++i) {
      const auto states = fight.room.states_after(fight.some_events(4));
      std::vector<StateSnapshotPointer> snapshots;
      for (const StateMap& state : states) snapshots.push_back(numbered.snapshot(state));
      const auto delta = resolve_snapshots(version, snapshots, numbered.index, numbered);
      ASSERT_TRUE(delta) << delta.error().text;
      const auto resolved = StateSnapshot::make(1000, snapshots.front(), *delta);
      ASSERT_EQ(numbered.map(resolved), resolve_state(version, states, fight.room).value()) << "seed " << seed;
      changes += delta->size();
    }
  }
  EXPECT_GT(changes, 100U);
}

}  // namespace
}  // namespace backplane::room_server
