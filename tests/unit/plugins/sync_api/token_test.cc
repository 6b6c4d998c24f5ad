#include "token.h"

#include <gtest/gtest.h>

namespace backplane::sync_api {
namespace {

TEST(SyncToken, SurvivesTheRoundTrip) {
  SyncToken token;
  token.epoch = "0a1b2c3d";
  token.room_events = log::Positions(72);
  token.room_events.advance({3, 90});
  token.client_data = log::Positions(5);
  token.receipts = log::Positions(6);
  token.send_to_device = log::Positions(7);
  token.typing = log::Positions(8);
  const std::string text = token.encode();
  EXPECT_EQ(text, "s1_0a1b2c3d_72.3:90_5_6_7_8");
  const auto read = SyncToken::decode(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->epoch, token.epoch);
  EXPECT_EQ(read->room_events.of(3), 90U);
  EXPECT_EQ(read->room_events.of(4), 72U);
  EXPECT_EQ(read->encode(), text);
}

TEST(SyncToken, RefusesGarbage) {
  for (const char* text : {"", "s1", "s1_", "s1_0_1_2_3_4", "s1_0_1_2_3_4_5_6", "s2_0_1_2_3_4_5", "s1_zz_1_2_3_4_5",
                           "s1_0_-1_2_3_4_5", "s1_0_1_2_3_4_x", "t1___5", "s72594_4483_1934", "s1_0_1:2_2_3_4_5"}) {
    EXPECT_FALSE(SyncToken::decode(text)) << text;
  }
  EXPECT_FALSE(SyncToken::decode(std::string(100'000, '1')));
}

TEST(SyncToken, CoversWhatEveryTopicCovers) {
  SyncToken a, b;
  a.room_events = log::Positions(5);
  EXPECT_TRUE(a.covers(b));
  EXPECT_FALSE(b.covers(a));
  b.receipts = log::Positions(1);
  EXPECT_FALSE(a.covers(b));
}

TEST(PageToken, SurvivesTheRoundTrip) {
  for (const PageToken& token : {PageToken{}, PageToken{7, 12, no_bound}, PageToken{7, 0, 40}, PageToken::before(9)}) {
    const auto read = PageToken::decode(token.encode());
    ASSERT_TRUE(read) << token.encode();
    EXPECT_EQ(read->topological, token.topological);
    EXPECT_EQ(read->sequence, token.sequence);
    EXPECT_EQ(read->bound, token.bound);
  }
  EXPECT_EQ(PageToken::before(9).encode(), "t1___9");
}

TEST(PageToken, RefusesGarbage) {
  for (const char* text :
       {"", "t1", "t1__", "t1____", "t1_a__", "t1_1_18446744073709551615_", "t1_1_-1_", "t2_1_1_1"}) {
    EXPECT_FALSE(PageToken::decode(text)) << text;
  }
  EXPECT_FALSE(parse_page_token("x", 0));
}

TEST(PageToken, SyncTokensArePlacesToo) {
  const auto place = parse_page_token("s1_00_72.3:90_5_6_7_8", 3);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->bound, 91U);
  EXPECT_EQ(parse_page_token("s1_00_72.3:90_5_6_7_8", 1)->bound, 73U);
}

}  // namespace
}  // namespace backplane::sync_api
