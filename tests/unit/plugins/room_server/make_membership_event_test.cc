// What other servers make membership events of.
#include "far_fixture.h"

namespace backplane::room_server {
namespace {

using matrix::Membership;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

struct MakeMembershipEventTest : FarFixture, ::testing::WithParamInterface<const char*> {
  MakeMembershipEventTest() { begin(GetParam()); }

  std::string try_making(const UserId& user, Membership membership = Membership::join) {
    return outcome(make(user, membership));
  }
};

INSTANTIATE_TEST_SUITE_P(Versions, MakeMembershipEventTest, told_versions(), version_name);

TEST_P(MakeMembershipEventTest, a_template_says_what_an_event_of_now_has_to) {
  const EventId before = last();
  const auto commits_before = commits();
  const auto told = records().size();
  const auto made_here = make(dave, Membership::join, {RoomVersionId("1"), RoomVersionId(GetParam())});
  ASSERT_EQ(outcome(made_here), "ok");
  EXPECT_EQ(made_here->room_version.str(), GetParam());
  const auto document = json::Document::parse(made_here->event.text);
  ASSERT_EQ(outcome(document), "ok");
  const json::View event = document->root();
  EXPECT_EQ(event.canonical(), made_here->event.text);
  EXPECT_EQ(event.find_string("type"), "m.room.member");
  EXPECT_EQ(event.find_string("sender"), dave.view());
  EXPECT_EQ(event.find_string("state_key"), dave.view());
  EXPECT_EQ(event.find_string("room_id"), room.view());
  EXPECT_EQ(event.find_string("origin"), own_server.view());
  EXPECT_EQ(event.find("content")->canonical(), R"({"membership":"join"})");
  EXPECT_EQ(event.find_integer("depth"), event_of(before).depth() + 1);
  EXPECT_EQ(event.find_integer("origin_server_ts"), host.clock().wall_ms());
  for (const char* const key : {"event_id", "hashes", "signatures", "unsigned"}) EXPECT_FALSE(event.find(key)) << key;
  const matrix::Event read = matrix::Event::from_stored(made_here->event.text, EventId("$"), *room_version);
  EXPECT_THAT(read.prev_events(), ElementsAre(before));
  std::vector<EventId> auth_events{state_id("m.room.power_levels", ""), state_id("m.room.join_rules", "")};
  if (!room_version->create_event_is_implied) auth_events.push_back(state_id("m.room.create", ""));
  EXPECT_THAT(read.auth_events(), ::testing::UnorderedElementsAreArray(auth_events));
  EXPECT_EQ(commits(), commits_before);
  EXPECT_EQ(records().size(), told);
  EXPECT_EQ(membership(room, dave), "");
  EXPECT_EQ(last(), before);
}

TEST_P(MakeMembershipEventTest, what_is_made_of_it_is_taken) {
  ASSERT_EQ(receive(finish(make(dave), dave)), Outcome::accepted);
  EXPECT_EQ(membership(room, dave), "join");
  ASSERT_EQ(receive(finish(make(dave), dave)), Outcome::accepted) << "who is in may join again";
  ASSERT_EQ(receive(finish(make(dave, Membership::leave), dave)), Outcome::accepted);
  EXPECT_EQ(membership(room, dave), "leave");
  EXPECT_EQ(try_making(dave, Membership::leave), "denied/forbidden");
}

TEST_P(MakeMembershipEventTest, it_follows_all_branches) {
  const EventId start = join_from_afar(dave);
  const EventId one = say_from_afar(dave, {start}), other = say_from_afar(dave, {start});
  const auto made_here = make(frank);
  ASSERT_EQ(outcome(made_here), "ok");
  const matrix::Event event = finish(made_here, frank);
  EXPECT_THAT(event.prev_events(), UnorderedElementsAre(one, other));
  EXPECT_EQ(receive(event), Outcome::accepted);
  EXPECT_EQ(last(), event.event_id());
}

TEST_P(MakeMembershipEventTest, a_room_may_not_be_for_everybody) {
  begin(GetParam(), "private_chat");
  EXPECT_EQ(try_making(dave), "denied/forbidden");
  EXPECT_EQ(errcode(make(dave)), "M_FORBIDDEN");
  EXPECT_EQ(try_making(dave, Membership::leave), "denied/forbidden");
  EXPECT_EQ(try_making(dave, Membership::knock), "denied/forbidden");
  begin(GetParam());
  join_from_afar(frank);
  member_from_afar(frank, dave, "invite");
  ASSERT_EQ(outcome(put_state(room, alice, "m.room.join_rules", R"({"join_rule":"invite"})")), "ok");
  EXPECT_EQ(try_making(dave, Membership::leave), "ok") << "an invite is rejected so";
  EXPECT_EQ(try_making(dave), "ok");
  EXPECT_EQ(try_making(erin), "denied/forbidden");
  ASSERT_EQ(outcome(ban(room, alice, dave)), "ok");
  EXPECT_EQ(try_making(dave), "denied/forbidden");
}

TEST_P(MakeMembershipEventTest, some_rooms_may_be_knocked_at) {
  EXPECT_EQ(try_making(dave, Membership::knock), "denied/forbidden");
  ASSERT_EQ(outcome(put_state(room, alice, "m.room.join_rules", R"({"join_rule":"knock"})")), "ok");
  if (!room_version->knock) {
    EXPECT_EQ(try_making(dave, Membership::knock), "denied/forbidden");
    return;
  }
  ASSERT_EQ(receive(finish(make(dave, Membership::knock), dave)), Outcome::accepted);
  EXPECT_EQ(membership(room, dave), "knock");
  EXPECT_EQ(try_making(dave), "denied/forbidden");
  ASSERT_EQ(receive(finish(make(dave, Membership::leave), dave)), Outcome::accepted) << "a knock is taken back so";
}

TEST_P(MakeMembershipEventTest, the_other_server_has_to_know_the_version) {
  const auto refused = make(dave, Membership::join, {RoomVersionId("org.example.other")});
  ASSERT_EQ(outcome(refused), "invalid/incompatible_room_version");
  EXPECT_EQ(http::error_body(refused.error()),
            R"({"errcode":"M_INCOMPATIBLE_ROOM_VERSION","error":"the room has version )" + std::string(GetParam()) +
                R"(","room_version":")" + GetParam() + "\"}");
}

TEST_P(MakeMembershipEventTest, what_makes_no_sense_is_refused) {
  EXPECT_EQ(try_making(bob), "invalid/invalid_param");
  EXPECT_EQ(try_making(UserId("dave")), "invalid/invalid_param");
  EXPECT_EQ(try_making(dave, Membership::invite), "invalid/invalid_param");
  EXPECT_EQ(try_making(dave, Membership::ban), "invalid/invalid_param");
  room = RoomId("!none:far.example");
  EXPECT_EQ(try_making(dave), "not_found/unknown_room");
  EXPECT_EQ(errcode(make(dave)), "M_NOT_FOUND");
}

TEST_P(MakeMembershipEventTest, a_room_that_this_server_has_left_is_not_known) {
  join_from_afar(dave);
  ASSERT_EQ(outcome(leave(room, alice)), "ok");
  EXPECT_EQ(try_making(frank), "not_found/unknown_room");
  EXPECT_EQ(try_making(dave, Membership::leave), "not_found/unknown_room");
}

/// Rooms that let the members of others in.
struct RestrictedTemplateTest : FarFixture, ::testing::WithParamInterface<const char*> {
  /// The room takes members of a space that is here, and where Dave is, and of some that are not.
  void begin_restricted(const std::vector<std::string>& others = {}) {
    begin(GetParam());
    space = room;
    join_from_afar(dave);
    begin(GetParam(), "private_chat");
    std::string allow = R"({"room_id":")" + space.str() + R"(","type":"m.room_membership"},{"type":"org.example"})";
    for (const std::string& other : others) allow += R"(,{"room_id":")" + other + R"(","type":"m.room_membership"})";
    ASSERT_EQ(outcome(put_state(room, alice, "m.room.join_rules",
                                R"({"allow":[)" + allow + R"(],"join_rule":"restricted"})")),
              "ok");
  }
  static std::optional<std::string> authoriser(const Result<api::MakeMembershipEventResponse>& made_here) {
    EXPECT_EQ(outcome(made_here), "ok");
    if (!made_here) return std::nullopt;
    return json::find_raw_string(*json::find_raw(made_here->event.text, "content"), "join_authorised_via_users_server");
  }

  RoomId space;
};

INSTANTIATE_TEST_SUITE_P(Versions, RestrictedTemplateTest, ::testing::Values("8", "10", "11", "12"), version_name);

TEST_P(RestrictedTemplateTest, somebody_here_vouches_for_members_of_another_room) {
  begin_restricted({"!elsewhere:far.example"});
  const auto made_here = make(dave);
  EXPECT_EQ(authoriser(made_here), alice.str());
  const matrix::Event read = matrix::Event::from_stored(made_here->event.text, EventId("$"), *room_version);
  EXPECT_THAT(read.auth_events(), ::testing::Contains(state_id("m.room.member", alice.view())));
}

TEST_P(RestrictedTemplateTest, who_is_invited_needs_nobody_to_vouch) {
  begin_restricted();
  ASSERT_EQ(outcome(put_state(room, alice, "m.room.join_rules", R"({"join_rule":"public"})")), "ok");
  join_from_afar(frank);
  member_from_afar(frank, erin, "invite");
  ASSERT_EQ(outcome(put_state(room, alice, "m.room.join_rules", R"({"allow":[],"join_rule":"restricted"})")), "ok");
  EXPECT_EQ(authoriser(make(erin)), std::nullopt);
  EXPECT_EQ(authoriser(make(frank)), std::nullopt);
  EXPECT_EQ(errcode(make(dave)), "M_FORBIDDEN") << "there are no conditions that anybody could meet";
}

TEST_P(RestrictedTemplateTest, a_restricted_room_may_be_knocked_at_as_well) {
  begin_restricted();
  ASSERT_EQ(outcome(put_state(room, alice, "m.room.join_rules",
                              R"({"allow":[{"room_id":")" + space.str() +
                                  R"(","type":"m.room_membership"}],"join_rule":"knock_restricted"})")),
            "ok");
  if (!room_version->knock_restricted_join) {
    EXPECT_EQ(outcome(make(dave)), "denied/forbidden");
    EXPECT_EQ(outcome(make(erin, Membership::knock)), "denied/forbidden");
    return;
  }
  EXPECT_EQ(authoriser(make(dave)), alice.str());
  EXPECT_EQ(outcome(make(erin)), "denied/forbidden");
  EXPECT_EQ(outcome(make(erin, Membership::knock)), "ok");
}

TEST_P(RestrictedTemplateTest, another_servers_word_is_not_repeated) {
  begin_restricted();
  ASSERT_EQ(receive(finish(make(dave), dave)), Outcome::accepted);
  ASSERT_EQ(outcome(put_state(room, alice, "m.room.power_levels", R"({"invite":0})")), "ok");
  // Bob came in by way of Dave's server.
  const auto bob_join = far_event(bob, "m.room.member", bob.str(),
                                  R"({"join_authorised_via_users_server":"@dave:far.example","membership":"join"})");
  ASSERT_EQ(receive(bob_join), Outcome::accepted);
  api::ChangeMembershipRequest renamed;
  renamed.room_id = room;
  renamed.sender = bob;
  renamed.target = {bob, "Bob", {}};
  ASSERT_EQ(outcome(change(renamed)), "ok");
  EXPECT_EQ(state(room, alice, "m.room.member", bob.str()), R"({"displayname":"Bob","membership":"join"})");
}

TEST_P(RestrictedTemplateTest, others_are_kept_out) {
  begin_restricted();
  EXPECT_EQ(outcome(make(erin)), "denied/forbidden");
  EXPECT_EQ(errcode(make(erin)), "M_FORBIDDEN");
}

TEST_P(RestrictedTemplateTest, what_this_server_cannot_know_it_says) {
  begin_restricted({"!elsewhere:far.example"});
  EXPECT_EQ(outcome(make(erin)), "invalid/unable_to_authorise_join");
  EXPECT_EQ(errcode(make(erin)), "M_UNABLE_TO_AUTHORISE_JOIN");
  // What is here of a room that this server has left is old.
  begin_restricted();
  ASSERT_EQ(outcome(leave(space, alice)), "ok");
  EXPECT_EQ(outcome(make(dave)), "invalid/unable_to_authorise_join");
}

TEST_P(RestrictedTemplateTest, without_somebody_who_may_invite_another_server_has_to_do_it) {
  begin_restricted();
  ASSERT_EQ(outcome(invite(room, alice, bob)), "ok");
  ASSERT_EQ(outcome(join(room, bob)), "ok");
  const std::string creator_level = room_version->privileged_creators ? "" : R"("@alice:test.example":100)";
  ASSERT_EQ(outcome(put_state(room, alice, "m.room.power_levels", R"({"invite":60,"users":{)" + creator_level + "}}")),
            "ok");
  EXPECT_EQ(authoriser(make(dave)), alice.str());
  ASSERT_EQ(outcome(leave(room, alice)), "ok");
  EXPECT_EQ(outcome(make(dave)), "invalid/unable_to_grant_join");
  EXPECT_EQ(errcode(make(dave)), "M_UNABLE_TO_GRANT_JOIN");
}

}  // namespace
}  // namespace backplane::room_server
