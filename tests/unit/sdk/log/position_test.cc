#include <gtest/gtest.h>

#include "backplane/log/position.h"

namespace backplane::log {
namespace {

TEST(Positions, encode_the_base_and_the_lanes_ahead_of_it) {
  Positions positions(12);
  EXPECT_EQ(positions.encode(), "12");
  positions.advance({7, 20});
  positions.advance({3, 15});
  EXPECT_EQ(positions.encode(), "12.3:15.7:20");
  EXPECT_EQ(Positions::decode("12.3:15.7:20"), positions);
  EXPECT_EQ(Positions::decode("18446744073709551615"), Positions(18446744073709551615u));
}

TEST(Positions, refuse_text_that_encode_would_not_write) {
  for (const char* text : {"", "x", "-1", " 1", "1 ", "01", "1.", "1.3", "1.3:", "1.3:x", "1.3:4.", "1.70000:4",
                           "1.3:4.3:5", "1.4:4.3:5", "18446744073709551616", "1:3"})
    EXPECT_FALSE(Positions::decode(text)) << text;
}

TEST(Positions, drop_lanes_at_or_below_the_base) {
  EXPECT_EQ(Positions::decode("12.3:12.4:13")->encode(), "12.4:13");
  auto positions = *Positions::decode("12.3:15.7:20");
  positions.advance_all(15);
  EXPECT_EQ(positions.encode(), "15.7:20");
  positions.advance_all(3);
  EXPECT_EQ(positions.encode(), "15.7:20");
  positions.advance({1, 15});
  positions.advance({7, 19});
  EXPECT_EQ(positions.encode(), "15.7:20");
}

TEST(Positions, cover_what_is_not_above_in_any_lane) {
  const auto positions = *Positions::decode("12.3:15");
  EXPECT_TRUE(positions.covers(Position{3, 15}));
  EXPECT_FALSE(positions.covers(Position{3, 16}));
  EXPECT_FALSE(positions.covers(Position{4, 13}));
  EXPECT_TRUE(positions.covers(*Positions::decode("10.3:14.4:12")));
  EXPECT_FALSE(positions.covers(*Positions::decode("10.3:16")));
  EXPECT_FALSE(positions.covers(Positions(13)));
  EXPECT_TRUE(Positions().covers(Positions()));
}

TEST(Positions, merge_takes_the_larger_of_both_in_every_lane) {
  auto positions = *Positions::decode("12.3:15.7:20");
  positions.merge(*Positions::decode("14.3:13.7:21.9:30"));
  EXPECT_EQ(positions.encode(), "14.3:15.7:21.9:30");
  EXPECT_EQ(positions.highest(), 30u);
}

TEST(Positions, a_base_is_covered_by_lanes_that_are_all_ahead_of_it) {
  Positions lanes;
  for (std::uint16_t lane = 0; lane + 1 < lane_count; ++lane) lanes.advance({lane, 10u + lane});
  EXPECT_FALSE(lanes.covers(Positions(10)));
  lanes.advance({lane_count - 1, 10});
  EXPECT_TRUE(lanes.covers(Positions(10)));
  EXPECT_FALSE(lanes.covers(Positions(11)));
  Positions other(10);
  other.advance({3, 13});
  EXPECT_TRUE(lanes.covers(other));
  other.advance({3, 14});
  EXPECT_FALSE(lanes.covers(other));
}

}  // namespace
}  // namespace backplane::log
