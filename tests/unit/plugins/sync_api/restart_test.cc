// What outlives the process: tokens, the index, messages to devices.
#include "sync_fixture.h"

namespace backplane::sync_api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using RestartTest = SyncFixture;

TEST_F(RestartTest, ATokenGoesOnOverARestart) {
  const RoomId room = make_room(alice);
  join(room, bob);
  const std::string since = sync(bob)["next_batch"].string();
  say(alice, room, "before");
  restart();
  say(alice, room, "after");
  const Json answer = sync(bob, since);
  EXPECT_THAT(timeline(answer, room), ElementsAre("before", "after"));
  EXPECT_THAT(sync(bob, answer["next_batch"].string()).keys(), ElementsAre("next_batch"));
  restart();
  EXPECT_FALSE(sync(bob, answer["next_batch"].string())["rooms"]);
}

TEST_F(RestartTest, AnInitialSyncFromTheIndexEqualsTheOneFromMemory) {
  const RoomId room = make_room(alice);
  join(room, bob);
  for (int i = 0; i < 8; ++i) say(alice, room, "m" + std::to_string(i));
  set(alice, room, "m.room.topic", R"({"topic":"t"})");
  ASSERT_TRUE(edus->submit_receipt({}, {room, bob, "m.read", say(alice, room, "read"), ""}));
  users->set(bob, room, "m.tag", R"({"tags":{}})");
  const std::string small = filter(R"({"room":{"timeline":{"limit":4}}})");
  const Json before = sync(bob, "", small);
  restart();
  const Json after = sync(bob, "", small);
  EXPECT_EQ(timeline(before, room), timeline(after, room));
  auto state_before = state(before, room), state_after = state(after, room);
  std::sort(state_before.begin(), state_before.end());
  std::sort(state_after.begin(), state_after.end());
  EXPECT_EQ(state_before, state_after);
  for (const char* part : {"summary", "ephemeral", "account_data"}) {
    EXPECT_EQ(before["rooms"]["join"][room.view()][part].text(), after["rooms"]["join"][room.view()][part].text());
  }
}

TEST_F(RestartTest, LongGapsComeFromTheIndex) {
  const RoomId room = make_room(alice);
  const std::string since = sync(alice)["next_batch"].string();
  set(alice, room, "m.room.topic", R"({"topic":"deep"})");
  for (int i = 0; i < 150; ++i) say(alice, room, std::to_string(i));
  restart();
  const Json answer = sync(alice, since, filter(R"({"room":{"timeline":{"limit":3}}})"));
  EXPECT_THAT(timeline(answer, room), ElementsAre("147", "148", "149"));
  EXPECT_THAT(state(answer, room), ElementsAre("m.room.topic"));
  // Deeper than what memory holds, for a filter that keeps little.
  const Json found = sync(alice, since, filter(R"({"room":{"timeline":{"types":["m.room.topic"]}}})"));
  EXPECT_THAT(timeline(found, room), ElementsAre("m.room.topic"));
}

TEST_F(RestartTest, MessagesToDevicesWaitOverARestart) {
  api::SendToDeviceRequest request;
  request.sender = bob;
  request.type = "m.test";
  request.messages[alice.str()][phone.str()] = {"{}"};
  ASSERT_TRUE(edus->send_to_device({}, request));
  restart();
  const Json answer = sync(alice);
  EXPECT_EQ(answer["to_device"]["events"].size(), 1U);
  EXPECT_FALSE(sync(alice, answer["next_batch"].string())["to_device"]);
}

TEST_F(RestartTest, RedactionsShowInWhatIsReadAgain) {
  const RoomId room = make_room(alice);
  const EventId said = say(alice, room, "oops");
  redact(alice, room, said);
  restart();
  const Json event = room_get(alice, room, "/event/{eventId}", "", said.str()).json();
  EXPECT_EQ(event["content"].text(), "{}");
}

}  // namespace
}  // namespace backplane::sync_api
