#include "state/state_delta.h"

#include <gtest/gtest.h>

#include <random>

namespace backplane::room_server {
namespace {

TEST(StateDeltaTest, what_is_newer_wins) {
  EXPECT_EQ(merge({{1, 10}, {3, 30}}, {{2, 20}, {3, 31}, {4, 0}}), (StateDelta{{1, 10}, {2, 20}, {3, 31}, {4, 0}}));
  EXPECT_EQ(merge({}, {{2, 20}}), (StateDelta{{2, 20}}));
  EXPECT_EQ(merge({{2, 20}}, {}), (StateDelta{{2, 20}}));
}

TEST(StateDeltaTest, survives_being_written_down) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    StateDelta delta;
    StateNumber number = 0;
    for (std::size_t n = random() % 30; n > 0; --n) {
      number += 1 + (random() % 3 == 0 ? random() % 1000000 : 0);
      delta.push_back({number, random() % 4 == 0 ? 0 : static_cast<std::uint32_t>(random())});
    }
    const auto read = decode_delta(encode(delta));
    ASSERT_TRUE(read);
    ASSERT_EQ(*read, delta);
  }
}

TEST(StateDeltaTest, neighbours_take_two_bytes) {
  StateDelta delta;
  for (std::uint32_t i = 1; i <= 1000; ++i) delta.push_back({i, (1U << 31) + 2 * i});
  EXPECT_LE(encode(delta).size(), 2010U);
}

TEST(StateDeltaTest, damage_is_told) {
  const std::string good = encode({{1, 10}, {3, 30}});
  EXPECT_FALSE(decode_delta(good.substr(0, good.size() - 1)));
  EXPECT_FALSE(decode_delta(std::string("\0\0", 2)));  // a number twice
  EXPECT_FALSE(decode_delta(std::string(11, '\xff')));
  EXPECT_FALSE(decode_delta("\x01\x01"));  // an ordinal below 0
}

}  // namespace
}  // namespace backplane::room_server
