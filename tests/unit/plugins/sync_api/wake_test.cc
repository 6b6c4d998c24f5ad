// Polls that wait.
#include "sync_fixture.h"

namespace backplane::sync_api {
namespace {

using ::testing::ElementsAre;

struct WakeTest : SyncFixture {
  std::int64_t parked() { return host.metric("sync_api", "parked_syncs"); }
};

TEST_F(WakeTest, AMessageWakesEveryMember) {
  const RoomId room = make_room(alice);
  join(room, bob);
  std::vector<Asked> polls;
  for (const UserId& user : {alice, bob}) {
    const std::string since = sync(user)["next_batch"].string();
    for (int i = 0; i < 3; ++i) polls.push_back(poll(user, "timeout=30000&since=" + since));
  }
  const auto stranger = poll(carol, "timeout=30000&since=" + sync(carol)["next_batch"].string());
  EXPECT_EQ(parked(), 7);
  say(bob, room, "wake up");
  for (const Asked& p : polls) {
    ASSERT_TRUE(p.answer->arrives());
    EXPECT_THAT(timeline(p.json(), room), ElementsAre("wake up"));
  }
  EXPECT_FALSE(stranger.answer->completed());
}

TEST_F(WakeTest, OneWhoIsInvitedWakes) {
  const auto waiting = poll(bob, "timeout=30000&since=" + sync(bob)["next_batch"].string());
  const RoomId room = make_room(alice, {bob});
  // A poll that has to wait for the index goes through a timer, which here runs when it is told to.
  for (int i = 0; i < 1000 && !waiting.answer->completed(); ++i) {
    host.advance(std::chrono::nanoseconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ASSERT_TRUE(waiting.answer->arrives());
  EXPECT_TRUE(waiting.json()["rooms"]["invite"][room.view()]);
}

TEST_F(WakeTest, WhoWaitsForATurnIsAnsweredWhenTheServerStops) {
  const std::string since = sync(bob)["next_batch"].string();
  const auto waiting = poll(bob, "timeout=30000&since=" + since);
  EXPECT_EQ(parked(), 1);
  (void)make_room(alice, {bob});
  // As above: it goes through a timer, which nobody runs here.
  for (int i = 0; i < 1000 && parked() == 1; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(parked(), 0);
  host.stop();
  ASSERT_TRUE(waiting.answer->arrives());
  EXPECT_EQ(waiting.json()["next_batch"].string(), since);
}

TEST_F(WakeTest, WhoComesWhileTheServerStopsDoesNotWait) {
  const std::string since = sync(bob)["next_batch"].string();
  const auto waiting = poll(bob, "timeout=30000&since=" + since);
  std::optional<Asked> late, initial;
  waiting.answer->when_complete = [&] {
    late = poll(bob, "timeout=30000&since=" + since);
    initial = poll(bob, "timeout=30000");
  };
  host.stop();
  ASSERT_TRUE(late && initial);
  ASSERT_TRUE(late->answer->completed());
  EXPECT_EQ(late->status(), 200);
  EXPECT_EQ(late->json()["next_batch"].string(), since);
  EXPECT_EQ(initial->status(), 503);
}

TEST_F(WakeTest, WhatTheFilterDropsDoesNotEndThePoll) {
  const RoomId room = make_room(alice);
  const std::string only_topics = filter(R"({"room":{"timeline":{"types":["m.room.topic"]},"state":{"types":[]}}})");
  const std::string since = sync(alice, "", only_topics)["next_batch"].string();
  const auto waiting = poll(alice, "timeout=30000&" + only_topics + "&since=" + since);
  say(alice, room, "not for you");
  sync(alice);
  EXPECT_FALSE(waiting.answer->completed());
  set(alice, room, "m.room.topic", R"({"topic":"t"})");
  ASSERT_TRUE(waiting.answer->arrives());
  EXPECT_THAT(timeline(waiting.json(), room), ElementsAre("m.room.topic"));
}

TEST_F(WakeTest, TheTimeEnds) {
  const std::string since = sync(alice)["next_batch"].string();
  const auto waiting = poll(alice, "timeout=30000&since=" + since);
  host.advance(std::chrono::milliseconds(29'000));
  EXPECT_FALSE(waiting.answer->completed());
  host.advance(std::chrono::milliseconds(1'001));
  ASSERT_TRUE(waiting.answer->arrives());
  EXPECT_THAT(waiting.json().keys(), ElementsAre("next_batch"));
  EXPECT_EQ(parked(), 0);
}

TEST_F(WakeTest, AnAbandonedPollIsForgotten) {
  const auto waiting = poll(alice, "timeout=30000&since=" + sync(alice)["next_batch"].string());
  EXPECT_EQ(parked(), 1);
  waiting.answer->abandon();
  EXPECT_EQ(parked(), 0);
}

TEST_F(WakeTest, DrainAnswersWhatWaits) {
  const std::string since = sync(alice)["next_batch"].string();
  const auto waiting = poll(alice, "timeout=30000&since=" + since);
  host.stop();
  ASSERT_TRUE(waiting.answer->completed());
  EXPECT_EQ(waiting.status(), 200);
  EXPECT_EQ(waiting.json()["next_batch"].string(), since);
  start();
}

TEST_F(WakeTest, TypingReceiptsAccountDataAndMessagesToDevicesWake) {
  const RoomId room = make_room(alice);
  join(room, bob);
  const EventId said = say(alice, room, "hi");
  const auto wakes = [&](auto act) {
    const auto waiting = poll(alice, "timeout=30000&since=" + sync(alice)["next_batch"].string());
    EXPECT_FALSE(waiting.answer->completed());
    act();
    return waiting.answer->arrives();
  };
  EXPECT_TRUE(wakes([&] { ASSERT_TRUE(edus->set_typing({}, {room, bob, true, 30'000})); }));
  EXPECT_TRUE(wakes([&] { ASSERT_TRUE(edus->submit_receipt({}, {room, bob, "m.read", said, ""})); }));
  EXPECT_TRUE(wakes([&] { users->set(alice, RoomId(), "m.direct", "{}"); }));
  EXPECT_TRUE(wakes([&] {
    api::SendToDeviceRequest request;
    request.sender = bob;
    request.type = "m.test";
    request.messages[alice.str()][phone.str()] = {"{}"};
    ASSERT_TRUE(edus->send_to_device({}, request));
  }));
}

}  // namespace
}  // namespace backplane::sync_api
