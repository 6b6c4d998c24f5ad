// Invites of users of another server, which that server signs.
#include "two_servers.h"

namespace backplane::room_server {
namespace {

struct MakeInviteTest : TwoServers, ::testing::WithParamInterface<const char*> {};

TEST_P(MakeInviteTest, the_invite_is_in_the_room_signed_by_both_servers) {
  const RoomId room = make_room("private_chat", GetParam());
  const auto invited = invite(room, alice, erin);
  ASSERT_EQ(outcome(invited), "ok") << invited.error().text;
  EXPECT_EQ(membership(room, erin), "invite");
  EXPECT_EQ(records_of(room).back().event_id, invited->event_id);
  const auto event = matrix::Event::from_stored(body(invited->event_id).event.text, invited->event_id,
                                                *matrix::find_room_version(GetParam()));
  const auto signatures = matrix::signatures_of(event);
  ASSERT_EQ(signatures.size(), 2U);
  EXPECT_EQ(signatures[0].entity, "far.example");
  EXPECT_EQ(signatures[1].entity, "test.example");
  EXPECT_EQ(far.membership(room, erin), "invite");
  const auto told = far.records();
  EXPECT_EQ(told.back().kind, api::RoomEventKind::invite);
  EXPECT_NE(told.back().stripped_state.text.find("m.room.create"), std::string::npos);
  EXPECT_NE(told.back().stripped_state.text.find(R"("state_key":"@alice:test.example")"), std::string::npos)
      << "who invites is shown";
  EXPECT_EQ(outcome(send(room, alice, "after")), "ok");
}

TEST_P(MakeInviteTest, what_the_other_server_refuses_is_not_in_the_room) {
  const RoomId room = make_room("private_chat", GetParam());
  const auto before = records_of(room).size();
  EXPECT_NE(outcome(invite(room, alice, UserId("@nobody:other.example"))), "ok") << "far.example is asked instead";
  far.down.insert(far_server);
  EXPECT_EQ(outcome(invite(room, alice, erin)), "unavailable/unreachable");
  EXPECT_EQ(membership(room, erin), "");
  EXPECT_EQ(records_of(room).size(), before);
}

TEST_P(MakeInviteTest, who_may_not_invite_asks_nobody) {
  const RoomId room = make_room("private_chat", GetParam());
  EXPECT_EQ(outcome(invite(room, bob, erin)), "denied/forbidden");
  EXPECT_EQ(outcome(invite(RoomId("!none:test.example"), alice, erin)), "not_found/unknown_room");
  EXPECT_TRUE(far.asked.empty());
}

TEST_P(MakeInviteTest, a_new_room_invites_users_of_other_servers) {
  api::CreateRoomRequest request;
  request.preset = "private_chat";
  request.room_version = GetParam();
  request.is_direct = true;
  request.invite = {profile(bob), profile(erin), profile(UserId("@x:down.example")), profile(erin)};
  far.down.insert(ServerName("down.example"));
  const auto created = create(std::move(request));
  ASSERT_EQ(outcome(created), "ok") << created.error().text;
  EXPECT_EQ(membership(created->room_id, bob), "invite");
  EXPECT_EQ(membership(created->room_id, erin), "invite");
  EXPECT_EQ(far.times("send_invite far.example"), 1U) << "also who is named twice";
  EXPECT_EQ(membership(created->room_id, UserId("@x:down.example")), "");
  const auto last = records_of(created->room_id).back();
  EXPECT_EQ(last.membership->user, erin);
  EXPECT_EQ(json::find_raw(json::find_raw(last.event.text, "content").value_or("{}"), "is_direct"), "true");
}

INSTANTIATE_TEST_SUITE_P(RoomVersions, MakeInviteTest, ::testing::Values("1", "6", "10", "12"),
                         [](const auto& instance) { return std::string("version_") + instance.param; });

}  // namespace
}  // namespace backplane::room_server
