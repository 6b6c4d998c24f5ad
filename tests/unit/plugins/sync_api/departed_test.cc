// What /sync tells those who are out of a room: no more than was theirs, and nothing of what they have forgotten.
#include "sync_fixture.h"

namespace backplane::sync_api {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

using DepartedTest = SyncFixture;

TEST_F(DepartedTest, AForgottenRoomStaysSoOverABanButNotOverAnInvite) {
  using api::MembershipAction;
  const RoomId room = make_room(alice);
  join(room, bob);
  say(alice, room, "in the time of bob");
  const std::string since = sync(bob)["next_batch"].string();
  leave(room, bob);
  ASSERT_TRUE(rooms->forget_room({}, {room, bob}));
  change(room, alice, MembershipAction::ban, bob);
  change(room, alice, MembershipAction::unban, bob);
  const std::string everything = filter(R"({"room":{"include_leave":true}})");
  for (int round = 0; round < 2; ++round) {  // the second time as the index has it
    EXPECT_FALSE(sync(bob, since)["rooms"]);
    EXPECT_FALSE(sync(bob, "", everything)["rooms"]);
    restart();
  }
  change(room, alice, MembershipAction::invite, bob);
  EXPECT_TRUE(sync(bob, since)["rooms"]["invite"][room.view()]);
  EXPECT_EQ(room_get(bob, room, "/messages", "dir=b").status(), 403);
  const std::string invited = sync(bob)["next_batch"].string();
  leave(room, bob);
  EXPECT_TRUE(sync(bob, invited)["rooms"]["leave"][room.view()]);
  const Json left = sync(bob, "", everything);
  EXPECT_THAT(timeline(left, room, "leave"), Not(Contains("in the time of bob")));
  EXPECT_THAT(timeline(left, room, "leave"), Contains("m.room.member/@bob:test.example"));
  EXPECT_THAT(state(left, room, "leave"), IsEmpty());
  EXPECT_EQ(room_get(bob, room, "/messages", "dir=b").status(), 403);
  join(room, bob);
  EXPECT_THAT(state(sync(bob), room), Contains("m.room.create"));
  EXPECT_EQ(room_get(bob, room, "/messages", "dir=b").status(), 200);
}

TEST_F(DepartedTest, WhoIsOutIsNotToldOfTheStateThatCameAfter) {
  using api::MembershipAction;
  const RoomId room = make_room(alice);
  join(room, bob);
  const std::string since = sync(bob)["next_batch"].string();
  change(room, alice, MembershipAction::kick, bob);
  set(alice, room, "m.room.topic", R"({"topic":"without bob"})");
  change(room, alice, MembershipAction::ban, bob);
  const std::string everything = filter(R"({"room":{"include_leave":true,"timeline":{"limit":1}}})");
  for (int round = 0; round < 2; ++round) {  // the second time as the index has it
    const Json answer = sync(bob, since);
    EXPECT_THAT(timeline(answer, room, "leave"),
                ElementsAre("m.room.member/@bob:test.example", "m.room.member/@bob:test.example"));
    EXPECT_THAT(state(answer, room, "leave"), IsEmpty());
    const Json all = sync(bob, "", everything);
    EXPECT_THAT(state(all, room, "leave"), Contains("m.room.create"));
    EXPECT_THAT(state(all, room, "leave"), Not(Contains("m.room.topic")));
    restart();
  }
}

}  // namespace
}  // namespace backplane::sync_api
