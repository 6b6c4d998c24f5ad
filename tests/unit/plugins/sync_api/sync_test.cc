// What /sync tells, answer by answer.
#include "sync_fixture.h"

namespace backplane::sync_api {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

using SyncTest = SyncFixture;

TEST_F(SyncTest, InitialSyncHasTheRoomWithItsStateBeforeTheTimeline) {
  const RoomId room = make_room(alice);
  for (int i = 0; i < 12; ++i) say(alice, room, "m" + std::to_string(i));
  const Json answer = sync(alice);
  EXPECT_THAT(timeline(answer, room), ElementsAre("m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9", "m10", "m11"));
  EXPECT_THAT(state(answer, room),
              UnorderedElementsAre("m.room.create", "m.room.member/@alice:test.example", "m.room.power_levels",
                                   "m.room.join_rules", "m.room.history_visibility", "m.room.guest_access"));
  const Json joined = answer["rooms"]["join"][room.view()];
  EXPECT_TRUE(joined["timeline"]["limited"].boolean());
  EXPECT_EQ(joined["summary"]["m.joined_member_count"].integer(), 1);
  EXPECT_EQ(joined["unread_notifications"]["highlight_count"].integer(), 0);
  const Json event = joined["timeline"]["events"][0];
  EXPECT_FALSE(event["room_id"]);
  EXPECT_EQ(event["unsigned"]["membership"].string(), "join");
  EXPECT_GE(event["unsigned"]["age"].integer(), 0);
}

TEST_F(SyncTest, ASmallRoomIsWholeInTheTimeline) {
  const RoomId room = make_room(alice);
  say(alice, room, "hello");
  const Json answer = sync(alice);
  EXPECT_THAT(timeline(answer, room),
              ElementsAre("m.room.create", "m.room.member/@alice:test.example", "m.room.power_levels",
                          "m.room.join_rules", "m.room.history_visibility", "m.room.guest_access", "hello"));
  EXPECT_THAT(state(answer, room), IsEmpty());
  EXPECT_FALSE(answer["rooms"]["join"][room.view()]["timeline"]["limited"].boolean());
}

TEST_F(SyncTest, NothingNewIsTheTokenAlone) {
  make_room(alice);
  const Json first = sync(alice);
  const Json second = sync(alice, first["next_batch"].string());
  EXPECT_THAT(second.keys(), ElementsAre("next_batch"));
  EXPECT_EQ(second["next_batch"].string(), first["next_batch"].string());
}

TEST_F(SyncTest, IncrementalSyncHasWhatIsNew) {
  const RoomId room = make_room(alice), other = make_room(alice);
  const std::string since = sync(alice)["next_batch"].string();
  say(alice, room, "one");
  set(alice, room, "m.room.topic", R"({"topic":"t"})");
  const Json answer = sync(alice, since);
  EXPECT_THAT(answer["rooms"]["join"].keys(), ElementsAre(room.str()));
  EXPECT_THAT(timeline(answer, room), ElementsAre("one", "m.room.topic"));
  EXPECT_THAT(state(answer, room), IsEmpty());
  EXPECT_FALSE(answer["rooms"]["join"][room.view()]["timeline"]["limited"].boolean());
}

TEST_F(SyncTest, AGapHasTheStateThatChangedInItAndGoesOnAtPrevBatch) {
  const RoomId room = make_room(alice);
  const std::string since = sync(alice)["next_batch"].string();
  set(alice, room, "m.room.topic", R"({"topic":"old"})");
  set(alice, room, "m.room.topic", R"({"topic":"new"})");
  for (int i = 0; i < 5; ++i) say(alice, room, "m" + std::to_string(i));
  const Json answer = sync(alice, since, filter(R"({"room":{"timeline":{"limit":3}}})"));
  EXPECT_THAT(timeline(answer, room), ElementsAre("m2", "m3", "m4"));
  const Json joined = answer["rooms"]["join"][room.view()];
  EXPECT_TRUE(joined["timeline"]["limited"].boolean());
  ASSERT_EQ(joined["state"]["events"].size(), 1U);
  EXPECT_EQ(joined["state"]["events"][0]["content"]["topic"].string(), "new");
  EXPECT_EQ(joined["state"]["events"][0]["unsigned"]["prev_content"]["topic"].string(), "old");
  const Json page =
      messages(alice, room, "dir=b&limit=4&from=" + joined["timeline"]["prev_batch"].string() + "&to=" + since);
  EXPECT_THAT(page["chunk"].events(), ElementsAre("m1", "m0", "m.room.topic", "m.room.topic"));
}

TEST_F(SyncTest, StateAfterHasTheStateAtTheEnd) {
  const RoomId room = make_room(alice);
  const std::string since = sync(alice)["next_batch"].string();
  say(alice, room, "one");
  set(alice, room, "m.room.topic", R"({"topic":"t"})");
  const Json answer = sync(alice, since, "use_state_after=true");
  const Json joined = answer["rooms"]["join"][room.view()];
  EXPECT_FALSE(joined["state"]);
  EXPECT_THAT(joined["state_after"]["events"].events(), ElementsAre("m.room.topic"));
  EXPECT_THAT(timeline(answer, room), ElementsAre("one", "m.room.topic"));
}

TEST_F(SyncTest, FullStateRepeatsTheState) {
  const RoomId room = make_room(alice);
  const std::string since = sync(alice)["next_batch"].string();
  const Json answer = sync(alice, since, "full_state=true&timeout=30000");
  EXPECT_THAT(timeline(answer, room), IsEmpty());
  EXPECT_EQ(state(answer, room).size(), 6U);
}

TEST_F(SyncTest, TheTransactionIdIsForTheDeviceThatSent) {
  const RoomId room = make_room(alice);
  join(room, bob);
  const std::string since = sync(alice)["next_batch"].string();
  say(alice, room, "hi", "txn1");
  const auto id_for = [&](const UserId& user, const DeviceId& device) {
    const Json events = sync(user, since, "", device)["rooms"]["join"][room.view()]["timeline"]["events"];
    return events[0]["unsigned"]["transaction_id"].text();
  };
  EXPECT_EQ(id_for(alice, phone), "\"txn1\"");
  EXPECT_EQ(id_for(alice, DeviceId("OTHER")), "absent");
  EXPECT_EQ(id_for(bob, phone), "absent");
}

TEST_F(SyncTest, AnInviteHasStrippedState) {
  const std::string since = sync(bob)["next_batch"].string();
  const RoomId room = make_room(alice, {bob}, "private_chat", {{"m.room.name", "", {R"({"name":"N"})"}}});
  for (const Json& answer : {sync(bob, since), sync(bob)}) {
    const Json invite = answer["rooms"]["invite"][room.view()]["invite_state"]["events"];
    EXPECT_THAT(invite.events(), UnorderedElementsAre("m.room.create", "m.room.join_rules", "m.room.name",
                                                      "m.room.member/@bob:test.example"));
    EXPECT_FALSE(invite[0]["event_id"]);
    EXPECT_FALSE(answer["rooms"]["join"]);
  }
  const std::string told = sync(bob, since)["next_batch"].string();
  EXPECT_FALSE(sync(bob, told)["rooms"]);
}

TEST_F(SyncTest, AJoinShowsTheWholeRoom) {
  const RoomId room = make_room(alice);
  for (int i = 0; i < 3; ++i) say(alice, room, "m" + std::to_string(i));
  const std::string since = sync(bob)["next_batch"].string();
  join(room, bob);
  const Json answer = sync(bob, since, filter(R"({"room":{"timeline":{"limit":2}}})"));
  EXPECT_THAT(timeline(answer, room), ElementsAre("m2", "m.room.member/@bob:test.example"));
  EXPECT_THAT(state(answer, room), Contains("m.room.create"));
  const Json events = answer["rooms"]["join"][room.view()]["timeline"]["events"];
  EXPECT_EQ(events[0]["unsigned"]["membership"].string(), "leave");
  EXPECT_EQ(events[1]["unsigned"]["membership"].string(), "join");
}

TEST_F(SyncTest, HistoryBeforeTheJoinIsHiddenWhereItMustBe) {
  const RoomId room =
      make_room(alice, {}, "public_chat", {{"m.room.history_visibility", "", {R"({"history_visibility":"joined"})"}}});
  say(alice, room, "secret");
  join(room, bob);
  say(alice, room, "open");
  // What came before the rule was set is shared, as every room is without one; so is the change of the rule itself.
  const auto shown = timeline(sync(bob), room);
  EXPECT_THAT(shown, ::testing::Not(Contains("secret")));
  ASSERT_GE(shown.size(), 3U);
  EXPECT_THAT(std::vector<std::string>(shown.end() - 3, shown.end()),
              ElementsAre("m.room.history_visibility", "m.room.member/@bob:test.example", "open"));
}

TEST_F(SyncTest, LeavingEndsTheRoom) {
  const RoomId room = make_room(alice);
  join(room, bob);
  const std::string since = sync(bob)["next_batch"].string();
  say(alice, room, "before");
  leave(room, bob);
  say(alice, room, "after");
  const Json answer = sync(bob, since);
  EXPECT_THAT(timeline(answer, room, "leave"), ElementsAre("before", "m.room.member/@bob:test.example"));
  EXPECT_FALSE(answer["rooms"]["join"]);
  EXPECT_FALSE(sync(bob, answer["next_batch"].string())["rooms"]);
  EXPECT_FALSE(sync(bob)["rooms"]);
  const Json all = sync(bob, "", filter(R"({"room":{"include_leave":true}})"));
  EXPECT_EQ(timeline(all, room, "leave").back(), "m.room.member/@bob:test.example");
}

TEST_F(SyncTest, AForgottenRoomIsGone) {
  const RoomId room = make_room(alice);
  join(room, bob);
  const std::string since = sync(bob)["next_batch"].string();
  leave(room, bob);
  ASSERT_TRUE(rooms->forget_room({}, {room, bob}));
  EXPECT_FALSE(sync(bob, since)["rooms"]);
  EXPECT_FALSE(sync(bob, "", filter(R"({"room":{"include_leave":true}})"))["rooms"]);
  EXPECT_EQ(room_get(bob, room, "/messages", "dir=b").status(), 403);
}

TEST_F(SyncTest, RejoiningShowsTheRoomAnew) {
  const RoomId room = make_room(alice);
  join(room, bob);
  const std::string since = sync(bob)["next_batch"].string();
  leave(room, bob);
  say(alice, room, "missed");
  join(room, bob);
  const Json answer = sync(bob, since, filter(R"({"room":{"timeline":{"limit":1}}})"));
  EXPECT_THAT(timeline(answer, room), ElementsAre("m.room.member/@bob:test.example"));
  EXPECT_THAT(state(answer, room), Contains("m.room.create"));
  EXPECT_FALSE(answer["rooms"]["leave"]);
}

TEST_F(SyncTest, ARejectedInviteIsALeave) {
  const RoomId room = make_room(alice, {bob}, "private_chat");
  const std::string since = sync(bob)["next_batch"].string();
  leave(room, bob);
  const Json answer = sync(bob, since);
  EXPECT_THAT(timeline(answer, room, "leave"), Contains("m.room.member/@bob:test.example"));
  EXPECT_THAT(state(answer, room, "leave"), IsEmpty());
  EXPECT_FALSE(answer["rooms"]["invite"]);
}

TEST_F(SyncTest, LazyMembersAreThoseWhoSpeakAndAreSentOnce) {
  const RoomId room = make_room(alice);
  join(room, bob);
  join(room, carol);
  for (int i = 0; i < 3; ++i) say(bob, room, "m" + std::to_string(i));
  const std::string lazy = filter(R"({"room":{"state":{"lazy_load_members":true},"timeline":{"limit":2}}})");
  const Json first = sync(alice, "", lazy);
  EXPECT_THAT(state(first, room), Contains("m.room.member/@alice:test.example"));
  EXPECT_THAT(state(first, room), Contains("m.room.member/@bob:test.example"));
  // Carol is a hero of a room without a name.
  EXPECT_THAT(state(first, room), Contains("m.room.member/@carol:test.example"));
  EXPECT_EQ(first["rooms"]["join"][room.view()]["summary"]["m.heroes"].size(), 2U);

  say(bob, room, "again");
  const Json second = sync(alice, first["next_batch"].string(), lazy);
  EXPECT_THAT(state(second, room), IsEmpty());
  say(bob, room, "and again");
  const std::string redundant =
      filter(R"({"room":{"state":{"lazy_load_members":true,"include_redundant_members":true}}})");
  const Json third = sync(alice, second["next_batch"].string(), redundant);
  EXPECT_THAT(state(third, room), ElementsAre("m.room.member/@bob:test.example"));
}

TEST_F(SyncTest, LazyMembersWithoutHeroesInANamedRoom) {
  const RoomId room = make_room(alice, {}, "public_chat", {{"m.room.name", "", {R"({"name":"N"})"}}});
  join(room, bob);
  join(room, carol);
  say(bob, room, "hi");
  const Json answer =
      sync(alice, "", filter(R"({"room":{"state":{"lazy_load_members":true},"timeline":{"limit":1}}})"));
  EXPECT_THAT(state(answer, room), Not(Contains("m.room.member/@carol:test.example")));
  EXPECT_FALSE(answer["rooms"]["join"][room.view()]["summary"]["m.heroes"]);
  EXPECT_EQ(answer["rooms"]["join"][room.view()]["summary"]["m.joined_member_count"].integer(), 3);
}

TEST_F(SyncTest, ARedactedEventIsSeenRedacted) {
  const RoomId room = make_room(alice);
  const EventId said = say(alice, room, "oops");
  const std::string since = sync(alice)["next_batch"].string();
  redact(alice, room, said);
  const Json news = sync(alice, since);
  EXPECT_THAT(timeline(news, room), ElementsAre("m.room.redaction"));
  EXPECT_EQ(news["rooms"]["join"][room.view()]["timeline"]["events"][0]["redacts"].string(), said.str());
  const Json events = sync(alice)["rooms"]["join"][room.view()]["timeline"]["events"];
  for (const Json& event : events.elements()) {
    if (event["event_id"].string() != said.str()) continue;
    EXPECT_EQ(event["content"].text(), "{}");
    EXPECT_EQ(event["unsigned"]["redacted_because"]["type"].string(), "m.room.redaction");
  }
}

TEST_F(SyncTest, TypingAndReceipts) {
  const RoomId room = make_room(alice);
  join(room, bob);
  const EventId said = say(alice, room, "hi");
  std::string since = sync(alice)["next_batch"].string();
  ASSERT_TRUE(edus->set_typing({}, {room, bob, true, 30'000}));
  Json answer = sync(alice, since);
  const auto ephemeral = [&] { return answer["rooms"]["join"][room.view()]["ephemeral"]["events"]; };
  EXPECT_EQ(ephemeral().text(), R"([{"content":{"user_ids":["@bob:test.example"]},"type":"m.typing"}])");
  since = answer["next_batch"].string();
  ASSERT_TRUE(edus->set_typing({}, {room, bob, false, 0}));
  ASSERT_TRUE(edus->submit_receipt({}, {room, bob, "m.read", said, ""}));
  ASSERT_TRUE(edus->submit_receipt({}, {room, bob, "m.read", said, "main"}));
  ASSERT_TRUE(edus->submit_receipt({}, {room, bob, "m.read.private", said, ""}));
  answer = sync(alice, since);
  ASSERT_EQ(ephemeral().size(), 3U) << answer.text();
  EXPECT_EQ(ephemeral()[0]["content"]["user_ids"].size(), 0U);
  EXPECT_FALSE(ephemeral()[1]["content"][said.view()]["m.read"][bob.view()]["thread_id"]);
  EXPECT_EQ(ephemeral()[2]["content"][said.view()]["m.read"][bob.view()]["thread_id"].string(), "main");
  EXPECT_FALSE(ephemeral()[1]["content"][said.view()]["m.read.private"]);
  const Json own = sync(bob)["rooms"]["join"][room.view()]["ephemeral"]["events"];
  EXPECT_TRUE(own[0]["content"][said.view()]["m.read.private"][bob.view()]) << own.text();
}

TEST_F(SyncTest, WhoComesLaterIsToldWhoTypes) {
  const RoomId room = make_room(alice);
  join(room, bob);
  ASSERT_TRUE(edus->set_typing({}, {room, bob, true, 30'000}));
  const Json answer = sync(alice)["rooms"]["join"][room.view()]["ephemeral"]["events"];
  EXPECT_EQ(answer.text(), R"([{"content":{"user_ids":["@bob:test.example"]},"type":"m.typing"}])");
}

TEST_F(SyncTest, AccountDataOfTheUserAndOfRooms) {
  const RoomId room = make_room(alice);
  const std::string since = sync(alice)["next_batch"].string();
  users->set(alice, RoomId(), "m.direct", R"({"@bob:test.example":[]})");
  users->set(alice, room, "m.tag", R"({"tags":{}})");
  for (const Json& answer : {sync(alice, since), sync(alice)}) {
    EXPECT_EQ(answer["account_data"]["events"].text(), R"([{"content":{"@bob:test.example":[]},"type":"m.direct"}])");
    EXPECT_EQ(answer["rooms"]["join"][room.view()]["account_data"]["events"].text(),
              R"([{"content":{"tags":{}},"type":"m.tag"}])");
  }
  EXPECT_FALSE(sync(bob)["account_data"]);
}

TEST_F(SyncTest, MessagesToADeviceComeUntilItsTokenSaysSo) {
  const auto send = [&](int n) {
    for (int i = 0; i < n; ++i) {
      api::SendToDeviceRequest request;
      request.sender = bob;
      request.type = "m.test";
      request.messages[alice.str()][phone.str()] = {"{\"n\":" + std::to_string(i) + "}"};
      ASSERT_TRUE(edus->send_to_device({}, request));
    }
  };
  std::string since = sync(alice)["next_batch"].string();
  send(105);
  Json answer = sync(alice, since);
  ASSERT_EQ(answer["to_device"]["events"].size(), 100U);
  EXPECT_EQ(answer["to_device"]["events"][0].text(),
            R"({"content":{"n":0},"sender":"@bob:test.example","type":"m.test"})");
  EXPECT_EQ(sync(alice, since)["to_device"]["events"].size(), 100U);  // again: the token was not returned
  since = answer["next_batch"].string();
  answer = sync(alice, since);
  EXPECT_EQ(answer["to_device"]["events"].size(), 5U);
  since = answer["next_batch"].string();
  EXPECT_FALSE(sync(alice, since)["to_device"]);
  EXPECT_FALSE(sync(alice)["to_device"]);
  EXPECT_FALSE(sync(bob)["to_device"]);
}

TEST_F(SyncTest, FiltersByIdAndByText) {
  const RoomId room = make_room(alice);
  say(alice, room, "hi");
  const std::string text = R"({"room":{"timeline":{"types":["m.room.message"]},"state":{"types":[]}}})";
  const auto made = ask(alice, "/filter", "", {{"userId", alice.str()}}, http::Method::post, text);
  ASSERT_EQ(made.status(), 200);
  const std::string id = made.json()["filter_id"].string();
  for (const std::string& query : {"filter=" + id, filter(text)}) {
    EXPECT_THAT(timeline(sync(alice, "", query), room), ElementsAre("hi"));
  }
  EXPECT_EQ(ask(alice, "/filter/{filterId}", "", {{"userId", alice.str()}, {"filterId", id}}).json().text(),
            R"({"room":{"state":{"types":[]},"timeline":{"types":["m.room.message"]}}})");
  EXPECT_EQ(ask(bob, "/filter/{filterId}", "", {{"userId", alice.str()}, {"filterId", id}}).status(), 403);
  EXPECT_EQ(ask(bob, "/filter/{filterId}", "", {{"userId", bob.str()}, {"filterId", id}}).status(), 404);
  EXPECT_EQ(poll(bob, "filter=" + id).status(), 400);
}

TEST_F(SyncTest, WrongParametersAreRefused) {
  for (const char* query : {"since=garbage", "timeout=x", "full_state=maybe", "set_presence=asleep", "filter=%7B",
                            "filter=nosuch", "since=t1___5"}) {
    const auto asked = poll(alice, query);
    EXPECT_EQ(asked.status(), 400) << query;
  }
}

TEST_F(SyncTest, ATokenOfAnotherHistoryGetsEverything) {
  const RoomId room = make_room(alice);
  const std::string token = sync(alice)["next_batch"].string();
  const auto rest = token.substr(token.find('_', 3));
  EXPECT_FALSE(timeline(sync(alice, "s1_00000000" + rest), room).empty());
  // A token ahead of the head: a backup was restored.
  const std::string epoch = token.substr(0, token.find('_', 3));
  EXPECT_FALSE(timeline(sync(alice, epoch + "_999999_0_0_0_0"), room).empty());
}

}  // namespace
}  // namespace backplane::sync_api
