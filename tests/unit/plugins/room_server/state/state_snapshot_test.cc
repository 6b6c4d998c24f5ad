#include "state/state_snapshot.h"

#include <gtest/gtest.h>

#include <bit>
#include <map>
#include <random>
#include <vector>

namespace backplane::room_server {
namespace {

using PlainState = std::map<StateNumber, std::uint32_t>;

void take_change(PlainState& state, const StateDelta& change) {
  for (const auto& [number, ordinal] : change) {
    if (ordinal == 0) state.erase(number);
    else state[number] = ordinal;
  }
}

PlainState plain(const StateSnapshotPointer& snapshot) {
  PlainState state;
  for (const auto& [number, ordinal] : snapshot->entries()) state[number] = ordinal;
  return state;
}

std::size_t chain_length(const StateSnapshotPointer& snapshot) {
  std::size_t length = 0;
  for (const StateSnapshot* at = snapshot.get(); at != nullptr; at = at->base().get()) ++length;
  return length;
}

TEST(StateSnapshotTest, is_what_its_changes_come_to_in_every_order_of_forks) {
  std::mt19937 random(7);
  std::vector<StateSnapshotPointer> snapshots;
  std::vector<PlainState> states;
  std::uint32_t ordinal = 1U << 31;
  for (int i = 1; i <= 3000; ++i) {
    // Most follow the last one, some an older one; some changes take an entry away, some are of many.
    const std::size_t back = random() % 10 == 0 ? random() % 40 : 0;
    const bool first = snapshots.empty();
    const std::size_t parent = first ? 0 : snapshots.size() - 1 - std::min(back, snapshots.size() - 1);
    std::map<StateNumber, std::uint32_t> change;
    for (std::size_t n = random() % 50 == 0 ? 20 : 1; n > 0; --n)
      change[1 + random() % 300] = random() % 20 == 0 ? 0 : ++ordinal;
    StateDelta delta;
    for (const auto& [number, entry] : change) delta.push_back({number, entry});

    PlainState state = first ? PlainState() : states[parent];
    take_change(state, delta);
    snapshots.push_back(StateSnapshot::make(i, first ? nullptr : snapshots[parent], delta));
    states.push_back(std::move(state));
  }
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    ASSERT_EQ(plain(snapshots[i]), states[i]) << "snapshot " << i;
    for (const StateNumber number : {1U, 17U, 300U}) {
      const auto entry = states[i].find(number);
      ASSERT_EQ(snapshots[i]->find(number), entry != states[i].end() ? entry->second : 0);
    }
    ASSERT_LE(chain_length(snapshots[i]), static_cast<std::size_t>(std::popcount(snapshots[i]->depth())));
  }
}

TEST(StateSnapshotTest, chains_are_bounded_and_deltas_are_few) {
  StateSnapshotPointer snapshot;
  std::size_t entries = 0;
  std::size_t longest = 0;
  constexpr std::uint32_t count = 3 * StateSnapshot::max_chain;
  for (std::uint32_t i = 1; i <= count; ++i) {
    snapshot = StateSnapshot::make(i, snapshot, {{i, i}});
    if (i % StateSnapshot::max_chain != 0) entries += snapshot->delta().size();
    longest = std::max(longest, chain_length(snapshot));
    ASSERT_EQ(snapshot->depth(), i);
  }
  EXPECT_EQ(longest, 13U);           // of 4096, and one a bit
  EXPECT_LE(entries, count * 7ULL);  // six in the mean
  EXPECT_EQ(snapshot->base(), nullptr);
  EXPECT_EQ(snapshot->entries().size(), count);
}

TEST(StateSnapshotTest, whole_snapshots_hold_nothing_that_is_gone) {
  const StateSnapshotPointer first = StateSnapshot::make(1, nullptr, {{1, 5}, {2, 0}, {3, 6}});
  EXPECT_EQ(first->delta(), (StateDelta{{1, 5}, {3, 6}}));
  const StateSnapshotPointer second = StateSnapshot::make(2, first, {{1, 0}});
  EXPECT_EQ(second->entries(), (StateDelta{{3, 6}}));
  EXPECT_EQ(second->find(1), 0U);
}

TEST(StateTableTest, of_no_snapshot_is_empty) {
  const StateTable table(nullptr);
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(table.find(3), 0U);
}

TEST(StateSnapshotTest, the_difference_of_two_makes_one_of_the_other) {
  const auto from = StateSnapshot::make(2, StateSnapshot::make(1, nullptr, {{1, 10}, {2, 20}, {4, 40}}), {{3, 30}});
  const auto to = StateSnapshot::make(4, StateSnapshot::make(3, nullptr, {{1, 10}, {2, 21}}), {{5, 50}});
  EXPECT_EQ(difference(from, to), (StateDelta{{2, 21}, {3, 0}, {4, 0}, {5, 50}}));
  EXPECT_EQ(difference(from, from), StateDelta());
  EXPECT_EQ(difference(nullptr, to), to->entries());
  EXPECT_EQ(StateSnapshot::make(5, from, difference(from, to))->entries(), to->entries());
}

}  // namespace
}  // namespace backplane::room_server
