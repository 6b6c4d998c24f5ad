// Who may read what came late into the middle of a room.
#include "far_fixture.h"

namespace backplane::sync_api {
namespace {

using api::MembershipAction;
using ::testing::Contains;
using ::testing::Not;

struct GapTest : FarFixture {
  /// Alice's, and Dave may do what she may.
  void make_room_with(const std::string& history_visibility) {
    room = make_room(alice);
    set(alice, room, "m.room.history_visibility", R"({"history_visibility":")" + history_visibility + "\"}");
    set(alice, room, "m.room.power_levels",
        R"({"users":{"@alice:test.example":100,"@dave:far.example":100},"users_default":0})");
  }
  /// Dave says 60 things, of which a page of 100 gets the first from his server.
  void miss_60() {
    say_far(60);
    receive(last);
  }
  std::vector<std::string> all_messages(const UserId& user) {
    return messages(user, room, "dir=b&limit=100")["chunk"].events();
  }
  EventId missed(const std::string& body) {
    for (const EventId& event_id : graph->events()) {
      const auto event = graph->find(event_id).event;
      if (event.content().find("\"" + body + "\"") != std::string_view::npos) return event_id;
    }
    ADD_FAILURE() << "nobody said " << body;
    return EventId();
  }
};

TEST_F(GapTest, who_left_before_does_not_read_it_and_who_stayed_does) {
  for (const char* const visibility : {"shared", "invited", "joined"}) {
    SCOPED_TRACE(visibility);
    make_room_with(visibility);
    join(room, bob);
    say(alice, room, "with bob");
    leave(room, bob);
    meet();
    miss_60();
    join(room, carol);
    const auto of_alice = all_messages(alice);
    EXPECT_THAT(of_alice, Contains("m0"));
    EXPECT_THAT(of_alice, Contains("m30"));
    const auto of_bob = all_messages(bob);
    EXPECT_THAT(of_bob, Contains("with bob"));
    EXPECT_THAT(of_bob, Contains("m.room.member/@bob:test.example"));
    EXPECT_THAT(of_bob, Not(Contains("m0")));
    EXPECT_THAT(of_bob, Not(Contains("m30")));
    EXPECT_THAT(of_bob, Not(Contains("m59")));
    for (const char* const route : {"/event/{eventId}", "/context/{eventId}"}) {
      const auto status = [&](const UserId& user) {
        return room_get(user, room, route, "", missed("m0").str()).status();
      };
      EXPECT_EQ(status(alice), 200) << route;
      EXPECT_EQ(status(bob), 404) << route;
      EXPECT_EQ(status(carol), std::string(visibility) == "shared" ? 200 : 404) << route;
    }
  }
}

TEST_F(GapTest, who_was_banned_somewhere_in_it_does_not_read_it) {
  make_room_with("shared");
  join(room, bob);
  meet();
  say(alice, room, "with bob");
  say_far(5);
  set_far("m.room.member", bob.str(), R"({"membership":"ban"})");
  say_far(55, 5);
  receive(last);
  EXPECT_THAT(all_messages(alice), Contains("m10"));
  const auto of_bob = all_messages(bob);
  EXPECT_THAT(of_bob, Contains("with bob"));
  EXPECT_THAT(of_bob, Contains("m.room.member/@bob:test.example"));
  EXPECT_THAT(of_bob, Not(Contains("m50")));
  EXPECT_THAT(of_bob, Not(Contains("m10")));
}

TEST_F(GapTest, the_state_that_is_told_with_it_is_not_that_of_its_arrival) {
  make_room_with("shared");
  meet();
  miss_60();
  set(alice, room, "m.room.topic", R"({"topic":"later"})");
  set(alice, room, "m.room.member", R"({"membership":"join","displayname":"Later"})", alice.str());
  EXPECT_THAT(all_messages(alice), Contains("m0"));
  const Json context = room_get(alice, room, "/context/{eventId}", "limit=0", missed("m0").str()).json();
  EXPECT_THAT(context["state"].events(), Contains("m.room.power_levels"));
  EXPECT_THAT(context["state"].events(), Not(Contains("m.room.topic")));
  const Json page =
      messages(alice, room, "dir=b&from=" + context["end"].string() + "&" + filter(R"({"lazy_load_members":true})"));
  EXPECT_EQ(page["chunk"].events().front(), "m0");
  for (const Json& member : page["state"].elements()) EXPECT_FALSE(member["content"]["displayname"]) << member.text();
  EXPECT_THAT(page["state"].events(), Contains("m.room.member/@alice:test.example"));
}

}  // namespace
}  // namespace backplane::sync_api
