// /messages where the history is at other servers.
#include "far_fixture.h"

namespace backplane::sync_api {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

struct BackfillTest : FarFixture {
  BackfillTest() {
    room = make_room(alice);
    meet();
  }
};

TEST_F(BackfillTest, who_scrolls_into_a_gap_gets_what_is_in_it) {
  say_far(50);
  receive(last);
  // The last, twenty before it, and the one that those follow, are here.
  const Json first = messages(alice, room, "dir=b&limit=20");
  EXPECT_EQ(first["chunk"].events().front(), "m49");
  EXPECT_EQ(first["chunk"].events().back(), "m30");
  far_server.asked.clear();
  std::vector<std::string> told;
  std::string from = first["end"].string();
  while (!from.empty()) {
    const Json page = messages(alice, room, "dir=b&limit=20&from=" + from);
    for (std::string& event : page["chunk"].events()) told.push_back(std::move(event));
    from = page["end"].string();
  }
  std::vector<std::string> expected;
  for (int i = 29; i >= 0; --i) expected.push_back("m" + std::to_string(i));
  for (const char* const type :
       {"m.room.member/@dave:far.example", "m.room.guest_access", "m.room.history_visibility", "m.room.join_rules",
        "m.room.power_levels", "m.room.member/@alice:test.example", "m.room.create"})
    expected.emplace_back(type);
  std::erase(told, "m.room.canonical_alias");
  EXPECT_EQ(told, expected);
  EXPECT_THAT(far_server.asked, Contains("get_backfill far.example"));
}

TEST_F(BackfillTest, a_page_comes_without_what_nobody_has) {
  say_far(50);
  receive(last);
  far_server.is_down = true;
  const Json page = messages(alice, room, "dir=b&limit=100");
  EXPECT_EQ(page["chunk"].events().front(), "m49");
  EXPECT_EQ(page["chunk"].events().back(), "m.room.create");
}

TEST_F(BackfillTest, a_server_that_never_answers_is_not_waited_for_longer_than_there_is_time) {
  say_far(50);
  receive(last);
  far_server.holds = true;
  for (const auto& [time, wait] : {std::pair(30, 10), std::pair(8, 4)}) {
    time_for_request = std::chrono::seconds(time);
    const Asked asked = room_get(alice, room, "/messages", "dir=b&limit=100");
    ASSERT_FALSE(far_server.held.empty());
    host.advance(std::chrono::seconds(wait) - std::chrono::milliseconds(1));
    EXPECT_FALSE(asked.answer->completed()) << time;
    host.advance(std::chrono::milliseconds(1));
    ASSERT_TRUE(asked.answer->completed()) << time;
    EXPECT_EQ(asked.status(), 200) << time;
    const auto page = asked.json()["chunk"].events();
    EXPECT_THAT(page, Contains("m49"));
    EXPECT_THAT(page, Not(Contains("m20")));
  }
  // What comes after all is in the next page that somebody asks for.
  far_server.release();
  EXPECT_THAT(messages(alice, room, "dir=b&limit=100")["chunk"].events(), Contains("m20"));
}

TEST_F(BackfillTest, where_nothing_is_missing_nobody_is_asked) {
  messages(alice, room, "dir=b&limit=100");
  EXPECT_THAT(far_server.asked, IsEmpty());
}

}  // namespace
}  // namespace backplane::sync_api
