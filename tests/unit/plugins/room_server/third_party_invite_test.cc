// Joins of those who were invited by an address, with what an identity server signed for them.
#include "backplane/matrix/canonical_json.h"
#include "far_fixture.h"

namespace backplane::room_server {
namespace {

using matrix::SigningKey;
using ::testing::Contains;

/// Fits the `token` of a room that the fixture made, signed as POST /sign-ed25519 does.
struct Signed {
  std::string mxid = bob.str();
  std::string token = "tok";
  std::string sender = alice.str();
};

struct ThirdPartyInviteTest : FarFixture, ::testing::WithParamInterface<const char*> {
  ThirdPartyInviteTest() { begin_with_invite("private_chat"); }

  void begin_with_invite(const std::string& preset) {
    begin(GetParam(), preset);
    EXPECT_EQ(outcome(put_invite(alice, invite_content())), "ok");
  }
  Result<api::SubmitDraftResponse> put_invite(const UserId& sender, std::string content) {
    return put_state(room, sender, "m.room.third_party_invite", std::move(content), "tok");
  }
  std::string invite_content() const {
    return R"({"display_name":"b...@mail","key_validity_url":"https://id.server/isvalid","public_key":")" +
           identity_server.public_key() + "\"}";
  }

  static std::string sign(const std::string& text, const SigningKey& key) {
    const auto document = json::Document::parse_object(text);
    EXPECT_TRUE(document);
    return matrix::sign_json(document->root(), "id.server", key);
  }
  std::string sign(const Signed& what) const {
    return sign(R"({"mxid":")" + what.mxid + R"(","sender":")" + what.sender + R"(","token":")" + what.token + "\"}",
                identity_server);
  }

  Result<api::ChangeMembershipResponse> join_with(std::string third_party_signed, const UserId& user = bob) {
    api::ChangeMembershipRequest request;
    request.room_id = room;
    request.sender = user;
    request.device = DeviceId("PHONE");
    request.target = {user, "Bob", "mxc://x/y"};
    request.reason = "you wrote to me";
    request.third_party_signed.text = std::move(third_party_signed);
    return change(std::move(request));
  }
  std::string content_of(const EventId& event_id) { return std::string(event_of(event_id).content()); }

  /// A join that is refused, and nothing comes of it.
  void expect_refused(const std::string& third_party_signed, const std::string& error = "denied/forbidden",
                      const UserId& user = bob) {
    const std::size_t told = records().size();
    const auto before = commits();
    const std::string had = membership(room, user);
    EXPECT_EQ(outcome(join_with(third_party_signed, user)), error) << third_party_signed;
    EXPECT_EQ(records().size(), told) << third_party_signed;
    EXPECT_EQ(commits(), before) << third_party_signed;
    EXPECT_EQ(membership(room, user), had) << third_party_signed;
  }
  /// The room is as if nothing had been tried: the next event follows the last one.
  void expect_unharmed() {
    const EventId tip = last();
    const auto sent = send(room, alice, "hello");
    ASSERT_EQ(outcome(sent), "ok");
    EXPECT_THAT(event_of(sent->event_id).prev_events(), ::testing::ElementsAre(tip));
  }

  const SigningKey identity_server = std::move(*SigningKey::generate("0", chance));
  const SigningKey stranger = std::move(*SigningKey::generate("0", chance));
};

TEST_P(ThirdPartyInviteTest, JoinsByAnInviteOfWhoSentIt) {
  EXPECT_EQ(outcome(join(room, bob)), "denied/forbidden");
  const std::string third_party_signed = sign(Signed());
  const auto before = commits();
  const EventId tip = last();
  const auto joined = join_with(third_party_signed);
  ASSERT_EQ(outcome(joined), "ok") << joined.error().text;
  EXPECT_EQ(commits(), before + 1);

  const auto told = records();
  const auto& invited = told[told.size() - 2];
  EXPECT_EQ(invited.sender, alice.str());
  EXPECT_EQ(invited.membership->user, bob);
  EXPECT_EQ(invited.membership->before, "");
  EXPECT_EQ(invited.membership->after, "invite");
  EXPECT_EQ(invited.device, DeviceId());
  EXPECT_EQ(content_of(invited.event_id), R"({"avatar_url":"mxc://x/y","displayname":"Bob","membership":"invite",)"
                                          R"("third_party_invite":{"display_name":"b...@mail","signed":)" +
                                              third_party_signed + "}}");
  const matrix::Event invite = event_of(invited.event_id);
  EXPECT_THAT(invite.prev_events(), ::testing::ElementsAre(tip));
  EXPECT_THAT(invite.auth_events(), Contains(state_id("m.room.third_party_invite", "tok")));

  EXPECT_EQ(told.back().event_id, joined->event_id);
  EXPECT_EQ(told.back().sender, bob.str());
  EXPECT_EQ(told.back().membership->before, "invite");
  EXPECT_EQ(told.back().membership->after, "join");
  EXPECT_EQ(told.back().device, DeviceId("PHONE"));
  EXPECT_EQ(content_of(joined->event_id), R"({"avatar_url":"mxc://x/y","displayname":"Bob","membership":"join",)"
                                          R"("reason":"you wrote to me"})");
  const matrix::Event join = event_of(joined->event_id);
  EXPECT_THAT(join.prev_events(), ::testing::ElementsAre(invited.event_id));
  EXPECT_THAT(join.auth_events(), Contains(invited.event_id));
  EXPECT_EQ(
      body(joined->event_id).event.text.find("\"replaces_state\":\"" + invited.event_id.str()) != std::string::npos,
      true);

  restart();
  EXPECT_EQ(membership(room, bob), "join");
  EXPECT_EQ(outcome(send(room, bob, "here I am")), "ok");
}

TEST_P(ThirdPartyInviteTest, JoiningAgainChangesNothing) {
  const auto first = join_with(sign(Signed()));
  ASSERT_EQ(outcome(first), "ok");
  const auto before = commits();
  const auto again = join_with(sign(Signed()));
  ASSERT_EQ(outcome(again), "ok");
  EXPECT_EQ(again->event_id, first->event_id);
  ASSERT_TRUE(put_invite(alice, "{}"));
  const auto revoked = join_with(sign(Signed()));
  ASSERT_EQ(outcome(revoked), "ok");
  EXPECT_EQ(revoked->event_id, first->event_id);
  EXPECT_EQ(commits(), before + 1);
}

TEST_P(ThirdPartyInviteTest, AnyKeyOfTheEventWillDo) {
  ASSERT_TRUE(put_invite(alice, R"({"display_name":"b","public_key":")" + stranger.public_key() +
                                    R"(","public_keys":[{"public_key":")" + identity_server.public_key() + "\"}]}"));
  EXPECT_EQ(outcome(join_with(sign(Signed()))), "ok");
}

TEST_P(ThirdPartyInviteTest, TheSenderNeedNotBeSigned) {
  // What PUT /3pid/onbind brings.
  const std::string bound = sign(R"({"mxid":"@bob:test.example","token":"tok"})", identity_server);
  const auto joined =
      join_with(bound.substr(0, bound.size() - 1) + R"(,"sender":"@alice:test.example","unsigned":{"age":1}})");
  ASSERT_EQ(outcome(joined), "ok") << joined.error().text;
  const auto told = records();
  EXPECT_EQ(
      json::find_raw(json::find_raw(content_of(told[told.size() - 2].event_id), "third_party_invite").value_or(""),
                     "signed"),
      bound);
}

TEST_P(ThirdPartyInviteTest, WhatDoesNotFitIsRefused) {
  expect_refused(sign({.token = "other"}));
  expect_refused(sign({.mxid = carol.str()}));
  expect_refused(sign(Signed()), "denied/forbidden", carol);
  expect_refused(sign({.sender = carol.str()}));
  const std::string good = sign(Signed());
  expect_refused(sign(R"({"mxid":"@bob:test.example","sender":"@alice:test.example","token":"tok"})", stranger));
  expect_refused(R"({"mxid":"@bob:test.example","sender":"@alice:test.example","signatures":{},"token":"tok"})");
  expect_refused(R"({"more":1,)" + good.substr(1));
  expect_unharmed();
  EXPECT_EQ(outcome(join_with(good)), "ok");
}

TEST_P(ThirdPartyInviteTest, WhatIsTakenBackIsRefused) {
  ASSERT_TRUE(put_invite(alice, "{}"));
  expect_refused(sign(Signed()));
  ASSERT_TRUE(put_invite(alice, R"({"public_key":")" + identity_server.public_key() + "\"}"));
  expect_refused(sign(Signed()));
  ASSERT_TRUE(put_invite(alice, invite_content()));
  EXPECT_EQ(outcome(join_with(sign(Signed()))), "ok");
}

TEST_P(ThirdPartyInviteTest, WhoSentItHasToBeThere) {
  ASSERT_TRUE(invite(room, alice, carol));
  ASSERT_TRUE(join(room, carol));
  ASSERT_TRUE(leave(room, alice));
  expect_refused(sign(Signed()));
}

TEST_P(ThirdPartyInviteTest, UsersOfOtherServersAreNotSpokenFor) {
  begin(GetParam());
  join_from_afar(dave);
  ASSERT_TRUE(put_state(room, alice, "m.room.join_rules", R"({"join_rule":"invite"})"));
  ASSERT_TRUE(put_state(room, alice, "m.room.power_levels",
                        GetParam() == std::string_view("12")
                            ? R"({"invite":0,"users":{"@dave:far.example":50}})"
                            : R"({"invite":0,"users":{"@alice:test.example":100,"@dave:far.example":50}})"));
  const auto event = far_event(dave, "m.room.third_party_invite", "tok", invite_content());
  ASSERT_EQ(receive(event), Outcome::accepted);
  expect_refused(sign({.sender = dave.str()}));
}

TEST_P(ThirdPartyInviteTest, TheBannedStayOut) {
  ASSERT_TRUE(ban(room, alice, bob));
  expect_refused(sign(Signed()));
}

TEST_P(ThirdPartyInviteTest, WhoIsInvitedAlreadyNeedsNoSecondInvite) {
  ASSERT_TRUE(invite(room, alice, bob));
  const std::size_t told = records().size();
  EXPECT_EQ(outcome(join_with(sign(Signed()))), "ok");
  EXPECT_EQ(records().size(), told + 1);
}

TEST_P(ThirdPartyInviteTest, ItIsLookedAtInPublicRooms) {
  begin_with_invite("public_chat");
  expect_refused(sign({.token = "other"}));
  EXPECT_EQ(outcome(join_with(sign(Signed()))), "ok");
  EXPECT_EQ(records().back().membership->before, "invite");
}

TEST_P(ThirdPartyInviteTest, WhereTheJoinIsRefusedThereIsNoInvite) {
  ASSERT_TRUE(put_state(room, alice, "m.room.join_rules", R"({"join_rule":"private"})"));
  expect_refused(sign(Signed()));
  expect_unharmed();
  restart();
  expect_unharmed();
}

TEST_P(ThirdPartyInviteTest, WhatIsNoThirdPartySignedIsBad) {
  for (const char* const text :
       {"[]", "{}", R"({"mxid":"@bob:test.example","sender":"@alice:test.example","token":"tok"})",
        R"({"mxid":1,"sender":"@alice:test.example","signatures":{},"token":"tok"})",
        R"({"mxid":"@bob:test.example","sender":null,"signatures":{},"token":"tok"})",
        R"({"mxid":"@bob:test.example","sender":"@alice:test.example","signatures":{},"token":["tok"]})",
        R"({"mxid":"@bob:test.example","sender":"@alice:test.example","signatures":[],"token":"tok"})",
        R"({"mxid":"@bob:test.example","sender":"@alice:test.example","signatures":{"a":"b"},"token":"tok"})",
        R"({"mxid":"@bob:test.example","sender":"@alice:test.example","signatures":{"a":{"b":1}},"token":"tok"})",
        R"({"a":0.5,"mxid":"@bob:test.example","sender":"@alice:test.example","signatures":{},"token":"tok"})"})
    expect_refused(text, "invalid/bad_json");
}

INSTANTIATE_TEST_SUITE_P(RoomVersions, ThirdPartyInviteTest, told_versions(), version_name);

}  // namespace
}  // namespace backplane::room_server
