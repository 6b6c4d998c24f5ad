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
