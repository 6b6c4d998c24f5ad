#include "room_fixture.h"

namespace backplane::room_server {
namespace {

using ::testing::UnorderedElementsAre;

struct MembershipTest : RoomFixture {
  std::string member(const RoomId& room, const UserId& user) { return state(room, alice, "m.room.member", user.str()); }
};

TEST_F(MembershipTest, AnyoneJoinsAPublicRoom) {
  const RoomId room = make_room("public_chat");
  api::ChangeMembershipRequest request;
  request.room_id = room;
  request.sender = bob;
  request.device = DeviceId("PHONE");
  request.target = {bob, "Bob", "mxc://x/y"};
  request.reason = "why not";
  request.extra_content.text = R"({"org.example":1,"membership":"ban"})";
  const auto joined = change(request);
  ASSERT_TRUE(joined);
  EXPECT_EQ(joined->room_id, room);
  EXPECT_EQ(member(room, bob), R"({"avatar_url":"mxc://x/y","displayname":"Bob","membership":"join",)"
                               R"("org.example":1,"reason":"why not"})");
  const auto record = records().back();
  ASSERT_TRUE(record.membership);
  EXPECT_EQ(record.membership->user, bob);
  EXPECT_EQ(record.membership->before, "");
  EXPECT_EQ(record.membership->after, "join");
  EXPECT_EQ(record.device.str(), "PHONE");
  EXPECT_EQ(host.records("room_events").back()->position, joined->position);
}

TEST_F(MembershipTest, JoiningAgainIsTheMembershipThatIsThere) {
  const RoomId room = make_room();
  const auto first = join(room, bob);
  const auto before = commits();
  const auto again = join(room, bob);
  ASSERT_TRUE(first && again);
  EXPECT_EQ(again->event_id, first->event_id);
  EXPECT_EQ(again->position, first->position);
  EXPECT_EQ(commits(), before);
  api::ChangeMembershipRequest request;
  request.room_id = room;
  request.sender = bob;
  request.target = {bob, "Robert", {}};
  const auto renamed = change(request);
  ASSERT_TRUE(renamed);
  EXPECT_NE(renamed->event_id, first->event_id);
  EXPECT_EQ(records().back().membership->before, "join");
}

TEST_F(MembershipTest, InviteOnlyRoomsWantAnInvite) {
  const RoomId room = make_room("private_chat");
  EXPECT_EQ(outcome(join(room, bob)), "denied/forbidden");
  EXPECT_EQ(outcome(invite(room, bob, carol)), "denied/forbidden");
  api::ChangeMembershipRequest request;
  request.room_id = room;
  request.sender = alice;
  request.action = api::MembershipAction::invite;
  request.target = {bob, "Bob", {}};
  request.is_direct = true;
  const auto invited = change(request);
  ASSERT_TRUE(invited);
  EXPECT_EQ(member(room, bob), R"({"displayname":"Bob","is_direct":true,"membership":"invite"})");
  EXPECT_EQ(change(request)->event_id, invited->event_id);
  EXPECT_EQ(outcome(join(room, bob)), "ok");
  EXPECT_EQ(outcome(invite(room, alice, bob)), "denied/forbidden");
}

TEST_F(MembershipTest, InvitesCanBeRejected) {
  const RoomId room = make_room("private_chat");
  ASSERT_TRUE(invite(room, alice, bob));
  EXPECT_EQ(outcome(leave(room, bob)), "ok");
  EXPECT_EQ(membership(room, bob), "leave");
  EXPECT_EQ(outcome(join(room, bob)), "denied/forbidden");
  EXPECT_EQ(state(room, bob, "m.room.join_rules"), "denied/not_in_room");
}

TEST_F(MembershipTest, LeavingIsRepeatableAndForThoseWhoWereThere) {
  const RoomId room = make_room();
  EXPECT_EQ(outcome(leave(room, bob)), "denied/forbidden");
  ASSERT_TRUE(join(room, bob));
  const auto first = leave(room, bob);
  const auto again = leave(room, bob);
  ASSERT_TRUE(first && again);
  EXPECT_EQ(first->event_id, again->event_id);
}

TEST_F(MembershipTest, KickBanUnban) {
  const RoomId room = make_room();
  ASSERT_TRUE(join(room, bob));
  ASSERT_TRUE(join(room, carol));
  EXPECT_EQ(outcome(kick(room, bob, carol)), "denied/forbidden");
  EXPECT_EQ(outcome(ban(room, bob, carol)), "denied/forbidden");
  EXPECT_EQ(outcome(unban(room, alice, carol)), "denied/forbidden");
  EXPECT_EQ(outcome(kick(room, alice, carol)), "ok");
  EXPECT_EQ(outcome(kick(room, alice, carol)), "denied/forbidden");
  EXPECT_EQ(membership(room, carol), "leave");
  EXPECT_EQ(outcome(join(room, carol)), "ok");
  EXPECT_EQ(outcome(ban(room, alice, carol)), "ok");
  EXPECT_EQ(outcome(kick(room, alice, carol)), "denied/forbidden");
  EXPECT_EQ(outcome(join(room, carol)), "denied/forbidden");
  EXPECT_EQ(outcome(invite(room, alice, carol)), "denied/forbidden");
  EXPECT_EQ(outcome(leave(room, carol)), "denied/forbidden");
  EXPECT_EQ(outcome(unban(room, bob, carol)), "denied/forbidden");
  EXPECT_EQ(outcome(unban(room, alice, carol)), "ok");
  EXPECT_EQ(outcome(join(room, carol)), "ok");
  EXPECT_EQ(outcome(kick(room, carol, alice)), "denied/forbidden");
}

TEST_F(MembershipTest, KnocksWaitForAnInvite) {
  const RoomId closed = make_room("private_chat");
  EXPECT_EQ(outcome(knock(closed, bob)), "denied/forbidden");
  ASSERT_TRUE(put_state(closed, alice, "m.room.join_rules", R"({"join_rule":"knock"})"));
  EXPECT_EQ(outcome(knock(closed, bob)), "ok");
  EXPECT_EQ(membership(closed, bob), "knock");
  EXPECT_EQ(outcome(join(closed, bob)), "denied/forbidden");
  EXPECT_EQ(outcome(invite(closed, alice, bob)), "ok");
  EXPECT_EQ(outcome(join(closed, bob)), "ok");
  EXPECT_EQ(outcome(knock(closed, bob)), "denied/forbidden");
}

TEST_F(MembershipTest, RestrictedRoomsLetMembersOfOthersIn) {
  for (const std::string rule : {"restricted", "knock_restricted"}) {
    const RoomId space = make_room("public_chat", "10"), room = make_room("private_chat", "10");
    ASSERT_TRUE(put_state(room, alice, "m.room.join_rules",
                          R"({"allow":[{"type":"m.room_membership","room_id":")" + space.str() +
                              R"("},{"type":"other"}],"join_rule":")" + rule + R"("})"));
    EXPECT_EQ(outcome(join(room, bob)), "denied/forbidden");
    // The client's word does not count.
    EXPECT_EQ(outcome(put_state(room, bob, "m.room.member",
                                R"({"membership":"join","join_authorised_via_users_server":"@alice:test.example"})",
                                bob.str())),
              "denied/forbidden");
    ASSERT_TRUE(join(space, bob));
    EXPECT_EQ(outcome(join(room, bob)), "ok");
    EXPECT_EQ(member(room, bob), R"({"join_authorised_via_users_server":"@alice:test.example","membership":"join"})");
    const auto before = commits();
    EXPECT_EQ(outcome(join(room, bob)), "ok");
    EXPECT_EQ(commits(), before);
    ASSERT_TRUE(invite(room, alice, carol));
    EXPECT_EQ(outcome(join(room, carol)), "ok");
    EXPECT_EQ(member(room, carol), R"({"membership":"join"})");
  }
}

TEST_F(MembershipTest, RestrictedJoinsNeedSomebodyWhoMayInvite) {
  const RoomId space = make_room("public_chat", "11"), room = make_room("private_chat", "11");
  ASSERT_TRUE(put_state(
      room, alice, "m.room.join_rules",
      R"({"allow":[{"type":"m.room_membership","room_id":")" + space.str() + R"("}],"join_rule":"restricted"})"));
  ASSERT_TRUE(join(space, bob));
  ASSERT_TRUE(put_state(room, alice, "m.room.power_levels", R"({"invite":100,"users":{"@alice:test.example":100}})"));
  ASSERT_TRUE(leave(room, alice));
  EXPECT_EQ(outcome(join(room, bob)), "denied/forbidden");
}

TEST_F(MembershipTest, RequestsThatMakeNoSense) {
  const RoomId room = make_room();
  EXPECT_EQ(outcome(change(room, bob, api::MembershipAction::join, carol)), "invalid/invalid_param");
  EXPECT_EQ(outcome(invite(room, alice, UserId("bob"))), "invalid/invalid_param");
  EXPECT_EQ(outcome(invite(room, alice, UserId("@far:away.example"))), "denied/forbidden");
  EXPECT_EQ(outcome(join(RoomId("!none"), bob)), "not_found/unknown_room");
}

TEST_F(MembershipTest, ReadsOfMembers) {
  const RoomId one = make_room(), two = make_room();
  api::ChangeMembershipRequest request;
  request.room_id = one;
  request.sender = bob;
  request.target = {bob, "Bob", "mxc://x/y"};
  ASSERT_TRUE(change(request));
  ASSERT_TRUE(invite(two, alice, bob));
  const auto members = rooms->list_joined_members({}, {one, alice});
  ASSERT_TRUE(members);
  ASSERT_EQ(members->members.size(), 2U);
  const auto& member = members->members[members->members[0].user == bob ? 0 : 1];
  EXPECT_EQ(member.displayname, "Bob");
  EXPECT_EQ(member.avatar_url, "mxc://x/y");
  EXPECT_EQ(outcome(rooms->list_joined_members({}, {two, bob})), "denied/not_in_room");
  EXPECT_EQ(outcome(rooms->list_joined_members({}, {RoomId("!none"), bob})), "not_found/unknown_room");
  EXPECT_THAT(rooms->list_joined_rooms({}, {alice})->rooms, UnorderedElementsAre(one, two));
  EXPECT_THAT(rooms->list_joined_rooms({}, {bob})->rooms, UnorderedElementsAre(one));
  EXPECT_EQ(membership(two, bob), "invite");
  EXPECT_EQ(membership(two, carol), "");
  EXPECT_EQ(membership(RoomId("!none"), carol), "not_found/unknown_room");
  EXPECT_EQ(rooms->find_membership({}, {one, bob})->event_id, records()[records().size() - 2].event_id);
}

}  // namespace
}  // namespace backplane::room_server
