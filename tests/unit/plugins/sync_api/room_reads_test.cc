// /messages, /context, /event and /members.
#include "sync_fixture.h"

namespace backplane::sync_api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

using RoomReadsTest = SyncFixture;

TEST_F(RoomReadsTest, PagesBackwardsToTheBeginning) {
  const RoomId room = make_room(alice);
  for (int i = 0; i < 3; ++i) say(alice, room, "m" + std::to_string(i));
  std::vector<std::string> seen;
  std::string query = "dir=b&limit=4";
  for (int pages = 0; pages < 10; ++pages) {
    const Json page = messages(alice, room, query);
    for (const auto& e : page["chunk"].events()) seen.push_back(e);
    EXPECT_EQ(page["chunk"][0]["room_id"].string(), room.str());
    if (!page["end"]) break;
    query = "dir=b&limit=4&from=" + page["end"].string();
  }
  EXPECT_THAT(seen,
              ElementsAre("m2", "m1", "m0", "m.room.guest_access", "m.room.history_visibility", "m.room.join_rules",
                          "m.room.power_levels", "m.room.member/@alice:test.example", "m.room.create"));
}

TEST_F(RoomReadsTest, PagesForwards) {
  const RoomId room = make_room(alice);
  const std::string since = sync(alice)["next_batch"].string();
  for (int i = 0; i < 3; ++i) say(alice, room, "m" + std::to_string(i));
  const Json first = messages(alice, room, "dir=f&limit=2&from=" + since);
  EXPECT_THAT(first["chunk"].events(), ElementsAre("m0", "m1"));
  EXPECT_EQ(first["start"].string(), since);
  const Json second = messages(alice, room, "dir=f&limit=2&from=" + first["end"].string());
  EXPECT_THAT(second["chunk"].events(), ElementsAre("m2"));
  EXPECT_FALSE(second["end"]);
  EXPECT_THAT(messages(alice, room, "dir=f&limit=1")["chunk"].events(), ElementsAre("m.room.create"));
  EXPECT_THAT(messages(alice, room, "dir=b&limit=9&from=" + first["end"].string() + "&to=" + since)["chunk"].events(),
              ElementsAre("m1", "m0"));
}

TEST_F(RoomReadsTest, FiltersPages) {
  const RoomId room = make_room(alice);
  join(room, bob);
  say(alice, room, "a");
  say(bob, room, "b");
  const auto filtered = [&](const std::string& json) {
    return messages(alice, room, "dir=b&limit=50&" + filter(json))["chunk"].events();
  };
  EXPECT_THAT(filtered(R"({"types":["m.room.message"]})"), ElementsAre("b", "a"));
  EXPECT_THAT(filtered(R"({"types":["m.room.message"],"senders":["@bob:test.example"]})"), ElementsAre("b"));
  EXPECT_THAT(filtered(R"({"not_rooms":[")" + room.str() + "\"]}"), IsEmpty());
  const Json lazy = messages(alice, room, "dir=b&limit=1&" + filter(R"({"lazy_load_members":true})"));
  EXPECT_THAT(lazy["state"].events(), ElementsAre("m.room.member/@bob:test.example"));
}

TEST_F(RoomReadsTest, StrangersAreRefused) {
  const RoomId room = make_room(alice);
  const EventId said = say(alice, room, "hi");
  EXPECT_EQ(room_get(bob, room, "/messages", "dir=b").status(), 403);
  EXPECT_EQ(room_get(bob, room, "/members").status(), 403);
  EXPECT_EQ(room_get(bob, room, "/event/{eventId}", "", said.str()).status(), 404);
  EXPECT_EQ(room_get(bob, RoomId("!nosuch:test.example"), "/messages", "dir=b").status(), 403);
  EXPECT_EQ(room_get(alice, room, "/messages", "dir=x").status(), 400);
  EXPECT_EQ(room_get(alice, room, "/messages", "dir=b&from=bad").status(), 400);
  EXPECT_EQ(room_get(alice, room, "/messages", "dir=b&limit=-1").status(), 400);
}

TEST_F(RoomReadsTest, TheWorldMayReadSomeRooms) {
  const RoomId room = make_room(alice, {}, "public_chat",
                                {{"m.room.history_visibility", "", {R"({"history_visibility":"world_readable"})"}}});
  say(alice, room, "to everyone");
  EXPECT_THAT(messages(bob, room, "dir=b&limit=1")["chunk"].events(), ElementsAre("to everyone"));
}

TEST_F(RoomReadsTest, TheWorldReadsWhatWasSaidWhileItMight) {
  const RoomId room = make_room(alice);
  const auto set_visibility = [&](const std::string& visibility) {
    return set(alice, room, "m.room.history_visibility", R"({"history_visibility":")" + visibility + "\"}");
  };
  const auto status = [&](const std::string& route, const EventId& event = {}) {
    return room_get(carol, room, route, route == "/messages" ? "dir=b" : "", event.str()).status();
  };
  const EventId hidden = say(alice, room, "before");
  const EventId opens = set_visibility("world_readable");
  const EventId shown = say(alice, room, "shown");
  set_visibility("shared");
  const EventId between = say(alice, room, "between");
  for (const char* route : {"/messages", "/members"}) EXPECT_EQ(status(route), 403) << route;
  EXPECT_EQ(status("/event/{eventId}", shown), 404);
  EXPECT_EQ(status("/context/{eventId}", shown), 403);
  set_visibility("world_readable");
  say(alice, room, "after");
  // The events that change it are seen by what was before or after them.
  EXPECT_THAT(messages(carol, room, "dir=b&limit=50")["chunk"].events(),
              ElementsAre("after", "m.room.history_visibility", "m.room.history_visibility", "shown",
                          "m.room.history_visibility"));
  EXPECT_THAT(messages(carol, room, "dir=f&limit=1")["chunk"][0]["event_id"].string(), opens.str());
  EXPECT_EQ(status("/event/{eventId}", shown), 200);
  for (const EventId& event : {hidden, between}) {
    EXPECT_EQ(status("/event/{eventId}", event), 404);
    EXPECT_EQ(status("/context/{eventId}", event), 404);
  }
  const Json context = room_get(carol, room, "/context/{eventId}", "", shown.str()).json();
  EXPECT_THAT(context["events_before"].events(), ElementsAre("m.room.history_visibility"));
  EXPECT_THAT(context["events_after"].events(),
              ElementsAre("m.room.history_visibility", "m.room.history_visibility", "after"));
}

TEST_F(RoomReadsTest, TheWorldIsNotToldWhoWasThereBefore) {
  const RoomId room = make_room(alice);
  join(room, bob);
  const std::string hidden = sync(alice)["next_batch"].string();
  set(alice, room, "m.room.history_visibility", R"({"history_visibility":"world_readable"})");
  const std::string shown = sync(alice)["next_batch"].string();
  leave(room, bob);
  EXPECT_EQ(room_get(carol, room, "/members", "at=" + hidden).status(), 403);
  EXPECT_EQ(room_get(carol, room, "/members", "at=" + shown + "&membership=join").json()["chunk"].size(), 2U);
  EXPECT_EQ(room_get(carol, room, "/members", "membership=join").json()["chunk"].size(), 1U);
  EXPECT_EQ(room_get(alice, room, "/members", "at=" + hidden).status(), 200);
  EXPECT_EQ(room_get(bob, room, "/members", "at=" + hidden).status(), 200);
}

TEST_F(RoomReadsTest, WhoHasLeftIsNotToldLessThanAStranger) {
  const RoomId room = make_room(alice);
  join(room, bob);
  say(alice, room, "with bob");
  leave(room, bob);
  say(alice, room, "without bob");
  set(alice, room, "m.room.history_visibility", R"({"history_visibility":"world_readable"})");
  join(room, carol);
  const auto seen = messages(bob, room, "dir=b&limit=5")["chunk"].events();
  EXPECT_THAT(seen, ElementsAre("m.room.member/@carol:test.example", "m.room.history_visibility",
                                "m.room.member/@bob:test.example", "with bob", "m.room.member/@bob:test.example"));
  EXPECT_EQ(room_get(bob, room, "/members", "membership=join").json()["chunk"].size(), 2U);
  // Having forgotten it they are strangers.
  ASSERT_TRUE(rooms->forget_room({}, {room, bob}));
  EXPECT_THAT(messages(bob, room, "dir=b&limit=50")["chunk"].events(),
              ElementsAre("m.room.member/@carol:test.example", "m.room.history_visibility",
                          "m.room.member/@bob:test.example", "m.room.member/@bob:test.example"));
  set(alice, room, "m.room.history_visibility", R"({"history_visibility":"shared"})");
  EXPECT_EQ(room_get(bob, room, "/messages", "dir=b").status(), 403);
}

TEST_F(RoomReadsTest, TheDepartedSeeUpToTheirLeaving) {
  const RoomId room = make_room(alice);
  join(room, bob);
  say(alice, room, "seen");
  leave(room, bob);
  say(alice, room, "unseen");
  join(room, carol);
  EXPECT_THAT(messages(bob, room, "dir=b&limit=2")["chunk"].events(),
              ElementsAre("m.room.member/@bob:test.example", "seen"));
  const auto members = room_get(bob, room, "/members").json()["chunk"].events();
  EXPECT_THAT(members, UnorderedElementsAre("m.room.member/@alice:test.example", "m.room.member/@bob:test.example"));
}

TEST_F(RoomReadsTest, MembersAtATokenAndByMembership) {
  const RoomId room = make_room(alice);
  const std::string early = sync(alice)["next_batch"].string();
  join(room, bob);
  join(room, carol);
  leave(room, carol);
  const auto members = [&](const std::string& query) {
    return room_get(alice, room, "/members", query).json()["chunk"].events();
  };
  EXPECT_EQ(members("").size(), 3U);
  EXPECT_THAT(members("at=" + early), ElementsAre("m.room.member/@alice:test.example"));
  EXPECT_THAT(members("membership=leave"), ElementsAre("m.room.member/@carol:test.example"));
  EXPECT_EQ(members("not_membership=leave").size(), 2U);
  EXPECT_EQ(room_get(alice, room, "/members", "membership=maybe").status(), 400);
}

TEST_F(RoomReadsTest, ContextIsAroundTheEvent) {
  const RoomId room = make_room(alice);
  std::vector<EventId> said;
  for (int i = 0; i < 5; ++i) said.push_back(say(alice, room, "m" + std::to_string(i)));
  const Json context = room_get(alice, room, "/context/{eventId}", "limit=2", said[2].str()).json();
  EXPECT_EQ(context["event"]["content"]["body"].string(), "m2");
  EXPECT_THAT(context["events_before"].events(), ElementsAre("m1"));
  EXPECT_THAT(context["events_after"].events(), ElementsAre("m3"));
  EXPECT_EQ(context["state"].size(), 6U);
  EXPECT_THAT(messages(alice, room, "dir=b&limit=1&from=" + context["start"].string())["chunk"].events(),
              ElementsAre("m0"));
  EXPECT_THAT(messages(alice, room, "dir=f&limit=1&from=" + context["end"].string())["chunk"].events(),
              ElementsAre("m4"));
  EXPECT_EQ(room_get(alice, room, "/context/{eventId}", "", "$nosuch").status(), 404);
}

TEST_F(RoomReadsTest, OneEvent) {
  const RoomId room = make_room(alice), other = make_room(alice);
  const EventId said = say(alice, room, "hi", "txn");
  const Json event = room_get(alice, room, "/event/{eventId}", "", said.str()).json();
  EXPECT_EQ(event["event_id"].string(), said.str());
  EXPECT_EQ(event["room_id"].string(), room.str());
  EXPECT_EQ(event["unsigned"]["transaction_id"].string(), "txn");
  EXPECT_EQ(room_get(alice, other, "/event/{eventId}", "", said.str()).status(), 404);
}

}  // namespace
}  // namespace backplane::sync_api
