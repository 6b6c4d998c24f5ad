// Joins of others that somebody here vouches for.
#include <fstream>

#include "far_fixture.h"

namespace backplane::room_server {
namespace {

using matrix::Membership;

struct SignRestrictedJoinTest : FarFixture, ::testing::WithParamInterface<const char*> {
  SignRestrictedJoinTest() {
    begin(GetParam());
    space = room;
    join_from_afar(dave);
    begin(GetParam(), "private_chat");
    set_join_rule("restricted");
  }
  void set_join_rule(const std::string& rule) {
    EXPECT_EQ(outcome(put_state(room, alice, "m.room.join_rules",
                                R"({"allow":[{"room_id":")" + space.str() +
                                    R"(","type":"m.room_membership"}],"join_rule":")" + rule + "\"}")),
              "ok");
  }
  Result<api::SignRestrictedJoinResponse> sign(std::string event) {
    return rooms->sign_restricted_join({}, {room, {std::move(event)}});
  }
  Result<api::SignRestrictedJoinResponse> sign(const matrix::Event& event) { return sign(std::string(event.json())); }
  /// With another content than the template says.
  Result<api::SignRestrictedJoinResponse> sign_with(const std::string& content) {
    return sign(far_event(dave, "m.room.member", dave.str(), content));
  }
  std::string own_public_key() {
    std::ifstream file(host.folder() + "/signing.key");
    std::string line;
    std::getline(file, line);
    const auto key = matrix::SigningKey::from_key_file_line(line);
    EXPECT_EQ(outcome(key), "ok");
    return key ? key->public_key() : std::string();
  }

  const std::string vouched = R"({"join_authorised_via_users_server":"@alice:test.example","membership":"join"})";
  RoomId space;
};

INSTANTIATE_TEST_SUITE_P(Versions, SignRestrictedJoinTest, ::testing::Values("8", "10", "11", "12"), version_name);

TEST_P(SignRestrictedJoinTest, both_servers_have_signed_it_then) {
  const matrix::Event event = finish(make(dave), dave);
  const auto commits_before = commits();
  const auto done = sign(event);
  ASSERT_EQ(outcome(done), "ok") << done.error().text;
  EXPECT_EQ(commits(), commits_before);
  EXPECT_EQ(done->event_id, event.event_id());
  const auto read = matrix::Event::parse_untrusted(done->event.text, *room_version);
  ASSERT_EQ(outcome(read), "ok");
  EXPECT_EQ(read->event_id(), event.event_id());
  EXPECT_EQ(read->content(), event.content());
  const std::string form = matrix::signed_form(read->json(), *room_version);
  const auto signatures = matrix::signatures_of(*read);
  ASSERT_EQ(signatures.size(), 2U);
  const std::string& key_id = signatures[1].key_id;  // they are in order of the servers' names
  EXPECT_TRUE(matrix::verify_event(*read, form, own_server, key_id, own_public_key()));
  EXPECT_TRUE(matrix::verify_event(*read, form, far_server, far_key.key_id(), far_key.public_key()));
  for (const ServerName& server : matrix::required_signers(*read))
    EXPECT_TRUE(server == own_server || server == far_server);

  EXPECT_EQ(receive(*read), Outcome::accepted);
  EXPECT_EQ(membership(room, dave), "join");
  EXPECT_EQ(matrix::signatures_of(event_of(event.event_id())).size(), 2U);
  EXPECT_EQ(outcome(sign(event)), "ok") << "a repeat is answered likewise";
}

TEST_P(SignRestrictedJoinTest, nothing_else_is_signed) {
  const std::string good = vouched;
  ASSERT_EQ(outcome(sign_with(good)), "ok");
  EXPECT_EQ(outcome(sign_with(R"({"membership":"join"})")), "invalid/invalid_param");
  EXPECT_EQ(outcome(sign_with(R"({"join_authorised_via_users_server":"@x:far.example","membership":"join"})")),
            "invalid/invalid_param");
  EXPECT_EQ(outcome(sign_with(R"({"join_authorised_via_users_server":"@x:atest.example","membership":"join"})")),
            "invalid/invalid_param");
  EXPECT_EQ(outcome(sign_with(R"({"join_authorised_via_users_server":5,"membership":"join"})")),
            "invalid/invalid_param");
  for (const char* const membership : {"leave", "knock", "invite", "ban"}) {
    EXPECT_EQ(outcome(sign_with(R"({"join_authorised_via_users_server":"@alice:test.example","membership":")" +
                                std::string(membership) + "\"}")),
              "invalid/invalid_param");
  }
  EXPECT_EQ(outcome(sign(far_event(dave, "m.room.member", erin.str(), good))), "invalid/invalid_param");
  EXPECT_EQ(outcome(sign(far_event(dave, "m.room.member", std::nullopt, good))), "invalid/invalid_param");
  EXPECT_EQ(outcome(sign(far_event(dave, "m.room.topic", dave.str(), good))), "invalid/invalid_param");
  EXPECT_EQ(outcome(sign(far_event(bob, "m.room.member", bob.str(), good))), "invalid/invalid_param");
  EXPECT_EQ(outcome(sign("{}")), "invalid/bad_json");
  EXPECT_EQ(outcome(sign("nonsense")), "invalid/not_json");

  const std::string event(
      far_event(dave, "m.room.member", dave.str(), R"({"displayname":"D",)" + good.substr(1)).json());
  const auto sign_changed = [&](std::string_view from, std::string_view to) {
    std::string text = event;
    text.replace(text.find(from), from.size(), to);
    return outcome(sign(text));
  };
  EXPECT_EQ(sign_changed("\"displayname\":\"D\"", "\"displayname\":\"E\""), "invalid/invalid_param")
      << "its hash does not cover that";
  EXPECT_EQ(sign_changed("{\"far.example\":", "{\"other.example\":"), "invalid/invalid_param");

  const RoomId own = room;
  room = space;
  EXPECT_EQ(outcome(sign(event)), "invalid/invalid_param") << "it is of another room";
  room = RoomId("!none:far.example");
  EXPECT_EQ(outcome(sign(event)), "not_found/unknown_room");
  room = own;
}

TEST_P(SignRestrictedJoinTest, who_is_not_in_such_a_room_is_not_let_in) {
  const std::string good = vouched;
  EXPECT_EQ(outcome(sign(far_event(erin, "m.room.member", erin.str(), good))), "denied/forbidden");
  const matrix::Event event = finish(make(dave), dave);
  ASSERT_EQ(outcome(ban(space, alice, dave)), "ok");
  EXPECT_EQ(outcome(sign(event)), "denied/forbidden");
  ASSERT_EQ(outcome(leave(space, alice)), "ok");
  EXPECT_EQ(outcome(sign(event)), "invalid/unable_to_authorise_join");
}

TEST_P(SignRestrictedJoinTest, who_is_banned_stays_out) {
  const matrix::Event event = finish(make(dave), dave);
  ASSERT_EQ(outcome(ban(room, alice, dave)), "ok");
  EXPECT_EQ(outcome(sign(event)), "denied/forbidden");
}

TEST_P(SignRestrictedJoinTest, who_vouches_has_to_be_one_who_may_invite) {
  const matrix::Event event = finish(make(dave), dave);
  EXPECT_EQ(outcome(sign_with(R"({"join_authorised_via_users_server":"@bob:test.example","membership":"join"})")),
            "invalid/unable_to_grant_join");
  ASSERT_EQ(outcome(invite(room, alice, bob)), "ok");
  ASSERT_EQ(outcome(join(room, bob)), "ok");
  const std::string creator_level = room_version->privileged_creators ? "" : R"("@alice:test.example":100)";
  ASSERT_EQ(outcome(put_state(room, alice, "m.room.power_levels", R"({"invite":60,"users":{)" + creator_level + "}}")),
            "ok");
  EXPECT_EQ(outcome(sign_with(R"({"join_authorised_via_users_server":"@bob:test.example","membership":"join"})")),
            "invalid/unable_to_grant_join");
  EXPECT_EQ(outcome(sign(event)), "ok");
  ASSERT_EQ(outcome(leave(room, alice)), "ok");
  EXPECT_EQ(outcome(sign(event)), "invalid/unable_to_grant_join");
}

TEST_P(SignRestrictedJoinTest, a_room_that_has_been_opened_lets_everybody_in) {
  const matrix::Event event = finish(make(dave), dave);
  set_join_rule("public");
  ASSERT_EQ(outcome(ban(space, alice, dave)), "ok");
  EXPECT_EQ(outcome(sign(event)), "ok");
  set_join_rule("invite");
  EXPECT_EQ(outcome(sign(event)), "denied/forbidden");
}

struct SignUnrestrictedTest : FarFixture {};

TEST_F(SignUnrestrictedTest, versions_without_restricted_joins_have_nothing_to_sign) {
  begin("7");
  const auto event = far_event(dave, "m.room.member", dave.str(),
                               R"({"join_authorised_via_users_server":"@alice:test.example","membership":"join"})");
  EXPECT_EQ(outcome(rooms->sign_restricted_join({}, {room, {std::string(event.json())}})), "invalid/invalid_param");
}

}  // namespace
}  // namespace backplane::room_server
