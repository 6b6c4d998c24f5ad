// Which servers are in a room, and which it does not want.
#include "far_fixture.h"

namespace backplane::room_server {
namespace {

using ::testing::ElementsAre;

struct ServersInRoomTest : FarFixture {
  ServersInRoomTest() { begin("11"); }

  api::ServerInRoomResponse look(const ServerName& server) {
    const auto found = rooms->get_server_in_room({}, {room, server});
    EXPECT_EQ(outcome(found), "ok");
    return found ? *found : api::ServerInRoomResponse();
  }
  bool is_denied(std::string server) { return look(ServerName(std::move(server))).denied; }
  std::vector<ServerName> servers() {
    const auto found = rooms->list_servers_in_room({}, {room});
    EXPECT_EQ(outcome(found), "ok");
    return found ? found->servers : std::vector<ServerName>();
  }
};

TEST_F(ServersInRoomTest, a_server_is_in_a_room_as_long_as_a_user_of_it_is_joined) {
  EXPECT_EQ(look(far_server).room_version.str(), "11");
  EXPECT_FALSE(look(far_server).joined);
  join_from_afar(frank);
  member_from_afar(frank, dave, "invite");
  EXPECT_FALSE(look(far_server).joined);
  join_from_afar(dave);
  join_from_afar(erin);
  EXPECT_TRUE(look(far_server).joined);
  EXPECT_FALSE(look(ServerName("ar.example")).joined) << "the whole name counts";
  leave_from_afar(dave);
  EXPECT_TRUE(look(far_server).joined);
  ASSERT_EQ(outcome(ban(room, alice, erin)), "ok");
  EXPECT_FALSE(look(far_server).joined);
  restart();
  EXPECT_FALSE(look(far_server).joined);
  EXPECT_TRUE(look(farther_server).joined);
}

TEST_F(ServersInRoomTest, this_server_may_have_left) {
  join_from_afar(dave);
  EXPECT_TRUE(look(far_server).resident);
  ASSERT_EQ(outcome(leave(room, alice)), "ok");
  EXPECT_FALSE(look(far_server).resident);
  EXPECT_TRUE(look(far_server).joined);
}

TEST_F(ServersInRoomTest, those_with_most_users_come_first) {
  EXPECT_THAT(servers(), ElementsAre(own_server));
  join_from_afar(frank);
  join_from_afar(dave);
  EXPECT_THAT(servers(), ElementsAre(far_server, farther_server, own_server));
  ASSERT_EQ(outcome(join(room, bob)), "ok");
  EXPECT_THAT(servers(), ElementsAre(own_server, far_server, farther_server));
  join_from_afar(erin);
  join_from_afar(UserId("@grace:far.example"));
  EXPECT_THAT(servers(), ElementsAre(far_server, own_server, farther_server));
  leave_from_afar(frank);
  EXPECT_THAT(servers(), ElementsAre(far_server, own_server));
}

TEST_F(ServersInRoomTest, a_port_is_part_of_a_name) {
  const UserId user("@dave:far.example:8448");
  join_from_afar(user);
  EXPECT_TRUE(look(ServerName("far.example:8448")).joined);
  EXPECT_FALSE(look(far_server).joined);
}

TEST_F(ServersInRoomTest, what_the_room_denies_is_denied) {
  EXPECT_FALSE(is_denied("far.example"));
  const auto acl = put_state(room, alice, "m.room.server_acl",
                             R"({"allow":["*"],"allow_ip_literals":false,"deny":["far.example"]})");
  ASSERT_EQ(outcome(acl), "ok");
  EXPECT_TRUE(is_denied("far.example"));
  EXPECT_TRUE(is_denied("far.example:8448"));
  EXPECT_TRUE(is_denied("1.2.3.4"));
  EXPECT_FALSE(is_denied("farther.example"));
  // "This defaults to an empty list when not provided, effectively disallowing every server."
  ASSERT_EQ(outcome(redact(room, alice, acl->event_id)), "ok");
  EXPECT_TRUE(is_denied("farther.example"));
  ASSERT_EQ(outcome(put_state(room, alice, "m.room.server_acl", R"({"allow":["*"]})")), "ok");
  EXPECT_FALSE(is_denied("far.example"));
}

TEST_F(ServersInRoomTest, of_a_room_that_is_not_here_nothing_is_said) {
  EXPECT_EQ(outcome(rooms->get_server_in_room({}, {RoomId("!none"), far_server})), "not_found/unknown_room");
  EXPECT_EQ(outcome(rooms->list_servers_in_room({}, {RoomId("!none")})), "not_found/unknown_room");
}

}  // namespace
}  // namespace backplane::room_server
