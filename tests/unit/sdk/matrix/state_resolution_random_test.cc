// State resolution of thousands of rooms in which users fight: the fast implementation against the literal one.
#include <gtest/gtest.h>

#include <algorithm>

#include "literal_resolution.h"
#include "room_fight.h"

namespace backplane::matrix {
namespace {

class RandomRooms : public testing::TestWithParam<const char*> {
 protected:
  const RoomVersion& v = version(GetParam());
};
INSTANTIATE_TEST_SUITE_P(Versions, RandomRooms, testing::Values("1", "2", "6", "9", "10", "11", "12"));

TEST_P(RandomRooms, resolve_as_the_text_says_in_any_order) {
  constexpr std::uint64_t rooms = 300;
  std::size_t conflicts = 0, rejected = 0;
  for (std::uint64_t seed = 1; seed <= rooms; ++seed) {
    Fight fight(v, seed);
    fight.grow(30);
    for (int i = 0; i < 4; ++i) {
      auto tips = fight.some_events(5);
      auto states = fight.room.states_after(tips);
      if (i == 3) {  // as after a reset that some server had: a state that lost events
        for (auto at = states[0].begin(); at != states[0].end();)
          at = fight.random()() % 4 == 0 ? states[0].erase(at) : ++at;
      }
      const StateMap expected = resolve_literally(v, states, fight.room);
      const auto result = resolve_state(v, states, fight.room);
      ASSERT_TRUE(result) << result.error().text;
      ASSERT_EQ(*result, expected) << "seed " << seed;
      for (int order = 0; order < 3; ++order) {
        std::shuffle(states.begin(), states.end(), fight.random());
        if (order == 2) states.push_back(states.front());  // the same state twice is the same
        ASSERT_EQ(resolve_state(v, states, fight.room).value(), expected) << "seed " << seed;
      }
      if (std::any_of(states.begin(), states.end(), [&](const StateMap& s) { return s != states.front(); }))
        ++conflicts;
    }
    for (const auto& id : fight.room.events()) rejected += fight.room.is_rejected(id) ? 1 : 0;
  }
  EXPECT_GT(conflicts, rooms * 2);  // the rooms are worth it
  EXPECT_GT(rejected, rooms);
}

}  // namespace
}  // namespace backplane::matrix
