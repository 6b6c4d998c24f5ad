#include "entry.h"

#include <gtest/gtest.h>

namespace backplane::log_kafka {
namespace {

TEST(AnnouncementText, comes_back) {
  Announcement announcement;
  announcement.head = 1000;
  announcement.lanes.set(0).set(3).set(15);
  announcement.last[0] = 1000;
  announcement.last[3] = 7;
  announcement.last[15] = 0;
  EXPECT_EQ(announcement.encode(), "8009 1000 0,993,1000");
  const auto back = Announcement::decode(announcement.encode());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->lanes, announcement.lanes);
  EXPECT_EQ(back->head, announcement.head);
  EXPECT_EQ(back->last, announcement.last);
}

TEST(AnnouncementText, that_is_wrong_is_none) {
  for (const char* text :
       {"", "1", "1 5", "1 5 6", "1 5 1,1", "3 5 1", "g 5 1", "10000 5 ", "1 5 1 ", "1  5 1", "-1 5 1"})
    EXPECT_FALSE(Announcement::decode(text)) << text;
}

TEST(SequencesOfLanes, are_positions_with_the_smallest_as_the_base) {
  Sequences sequences;
  sequences.fill(12);
  sequences[3] = 15;
  sequences[7] = 20;
  const log::Positions positions = to_positions(sequences);
  EXPECT_EQ(positions.encode(), "12.3:15.7:20");
  EXPECT_EQ(to_sequences(positions), sequences);
}

}  // namespace
}  // namespace backplane::log_kafka
