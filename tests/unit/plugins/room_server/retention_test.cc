// History goes by its age.
#include <gtest/gtest.h>

#include "room_fixture.h"

namespace backplane::room_server {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::int64_t nanoseconds(Duration duration) { return duration.count(); }

struct RetentionTest : RoomFixture {
  /// The server is started anew with these rules.
  void keep(Duration lifetime, bool by_room = false) {
    host.stop();
    start({{"history_lifetime", nanoseconds(lifetime)}, {"history_lifetime_by_room", by_room}});
  }
  EventId say(const RoomId& room, const std::string& text) {
    const auto sent = send(room, alice, text);
    EXPECT_EQ(outcome(sent), "ok");
    return sent ? sent->event_id : EventId();
  }
  /// As somebody may who is trusted with it; other servers need no trust for that.
  EventId say_at(const RoomId& room, std::int64_t origin_server_ts) {
    auto request = draft(room, alice, "m.room.message", R"({"body":"at another time"})");
    request.draft.origin_server_ts = origin_server_ts;
    const auto sent = rooms->submit_draft({}, request);
    EXPECT_EQ(outcome(sent), "ok");
    return sent ? sent->event_id : EventId();
  }
  /// Lets whole passes go over the rooms.
  void pass() {
    for (int i = 0; i < 100; ++i) host.advance(20s);
  }
  bool is_there(const EventId& event_id) { return rooms->get_events({}, {{event_id}})->events.size() == 1; }
  std::vector<EventId> left_of(const std::vector<EventId>& events) {
    std::vector<EventId> left;
    const auto found = rooms->get_events({}, {events});
    for (const auto& event : found->events) left.push_back(event.event_id);
    return left;
  }
  std::int64_t purges() { return host.metric("room_server", "purges_total", {{"by", "lifetime"}}); }
};

TEST_F(RetentionTest, MessagesGoWhenTheyAreOldEnough) {
  keep(24h);
  const RoomId room = make_room();
  const EventId first = say(room, "first"), second = say(room, "second");
  ASSERT_EQ(outcome(put_state(room, alice, "m.room.topic", R"({"topic":"kept"})")), "ok");
  host.advance(12h);
  const EventId third = say(room, "third"), last = say(room, "last");
  host.advance(11h);
  pass();
  EXPECT_THAT(left_of({first, second, third, last}), ElementsAre(first, second, third, last));
  EXPECT_EQ(purges(), 0);
  host.advance(1h);
  pass();
  EXPECT_THAT(left_of({first, second, third, last}), ElementsAre(third, last));
  EXPECT_EQ(state(room, alice, "m.room.topic"), R"({"topic":"kept"})");
  EXPECT_EQ(purges(), 1);
  EXPECT_EQ(host.metric("room_server", "events_purged_total"), 2);
  // The newest event stays, however old; what comes goes on from it.
  host.advance(1000h);
  pass();
  EXPECT_THAT(left_of({third, last}), ElementsAre(last));
  EXPECT_THAT(body(say(room, "on")).event.text, HasSubstr(last.str()));
  EXPECT_EQ(host.count("room_server", "SELECT COUNT(*) FROM purges"), 0);
}

TEST_F(RetentionTest, EverythingStaysUnlessSomethingElseIsSaid) {
  const RoomId room = make_room();
  const EventId first = say(room, "first");
  say(room, "last");
  ASSERT_EQ(outcome(put_state(room, alice, "m.room.retention", R"({"max_lifetime":1})")), "ok");
  host.advance(100'000h);
  pass();
  EXPECT_TRUE(is_there(first));
  keep(200'000h);
  pass();
  EXPECT_TRUE(is_there(first));
}

TEST_F(RetentionTest, ARoomWithNothingToPurgeIsNotWrittenTo) {
  keep(24h);
  const RoomId young = make_room(), dead = make_room(), quiet = make_room();
  say(dead, "old");
  say(dead, "the last");
  for (int i = 0; i < 20; ++i)
    ASSERT_EQ(outcome(put_state(quiet, alice, "m.room.topic", R"({"topic":")" + std::to_string(i) + "\"}")), "ok");
  host.advance(48h);
  pass();
  say(young, "news");
  say(young, "more news");
  const auto commits_of_passes = [&](Duration lifetime) {
    keep(lifetime);
    pass();
    const auto before = commits();
    pass();
    EXPECT_EQ(purges(), 0);
    return commits() - before;
  };
  EXPECT_EQ(commits_of_passes(24h), commits_of_passes(0h));  // others write now and then
}

TEST_F(RetentionTest, WhatAnEventSaysOfItsTimeChangesNothing) {
  keep(24h);
  const RoomId room = make_room();
  constexpr std::int64_t far_future = 32'000'000'000'000;
  const EventId future = say_at(room, far_future), old = say(room, "old"), other_future = say_at(room, far_future);
  host.advance(23h);
  const EventId young = say(room, "young"), past = say_at(room, 1), last = say(room, "last");
  pass();
  EXPECT_THAT(left_of({future, old, other_future, young, past, last}),
              ElementsAre(future, old, other_future, young, past, last));
  host.advance(1h);
  pass();
  EXPECT_THAT(left_of({future, old, other_future, young, past, last}), ElementsAre(young, past, last));
}

TEST_F(RetentionTest, ARoomMayAskForLessWhereThatIsAllowed) {
  const RoomId brief = make_room(), longer = make_room(), other = make_room(), odd = make_room();
  const auto policy = [&](const RoomId& room, const std::string& content) {
    ASSERT_EQ(outcome(put_state(room, alice, "m.room.retention", content)), "ok");
  };
  policy(brief, R"({"max_lifetime":7200000,"min_lifetime":1000000000})");
  policy(longer, R"({"max_lifetime":900000000000})");
  policy(odd, R"({"max_lifetime":"1"})");
  std::vector<EventId> said;
  for (const RoomId& room : {brief, longer, other, odd}) {
    said.push_back(say(room, "first"));
    say(room, "last");
  }
  keep(0h, true);
  host.advance(1h);
  pass();
  EXPECT_EQ(left_of(said), said);
  host.advance(2h);
  pass();
  EXPECT_THAT(left_of(said), UnorderedElementsAre(said[1], said[2], said[3]));
  // The server's own rule is the upper bound.
  keep(24h, true);
  host.advance(25h);
  pass();
  EXPECT_THAT(left_of(said), IsEmpty());
}

TEST_F(RetentionTest, NothingAndNonsenseAreNoPolicy) {
  const RoomId room = make_room();
  const EventId first = say(room, "first");
  say(room, "last");
  keep(0h, true);
  for (const char* content : {"{}", R"({"max_lifetime":0})", R"({"max_lifetime":-5})", R"({"max_lifetime":null})",
                              R"({"max_lifetime":[1]})", R"({"max_lifetime":true})", R"({"min_lifetime":1})"}) {
    ASSERT_EQ(outcome(put_state(room, alice, "m.room.retention", content)), "ok");
    host.advance(1000h);
    pass();
    EXPECT_TRUE(is_there(first)) << content;
  }
}

TEST_F(RetentionTest, MoreRoomsThanAreLookedAtInOneGo) {
  std::vector<EventId> old;
  std::vector<RoomId> all;
  for (int i = 0; i < 620; ++i) {
    all.push_back(make_room());
    if (i % 4 != 0) continue;
    old.push_back(say(all.back(), "old"));
    say(all.back(), "last");
  }
  keep(24h);
  host.advance(25h);
  // No more than a hundred begin at once.
  const std::int64_t begun = host.count("room_server", "SELECT COUNT(*) FROM purges");
  EXPECT_GE(begun, 1);
  EXPECT_LE(begun, 100);
  pass();
  EXPECT_THAT(left_of(old), IsEmpty());
  EXPECT_EQ(purges(), static_cast<std::int64_t>(old.size()));
}

TEST_F(RetentionTest, APurgeThatIsUnderWayIsNotBegunAgain) {
  const RoomId room = make_room();
  std::vector<EventId> said;
  for (int i = 0; i < 500; ++i) said.push_back(say(room, "text"));
  keep(24h);
  host.advance(25h);
  ASSERT_EQ(host.count("room_server", "SELECT COUNT(*) FROM purges"), 1);
  host.fail_writes("room_server", unavailable("disk_full", "no room"), 1, 1);
  host.advance(20s);
  EXPECT_EQ(left_of(said).size(), 300U);
  host.fail_writes("room_server", unavailable("disk_full", "no room"), 1);
  host.advance(11min);  // another pass
  EXPECT_EQ(left_of(said).size(), 300U);
  EXPECT_EQ(purges(), 1);
  keep(24h);  // over a restart, too
  pass();
  EXPECT_THAT(left_of(said), ElementsAre(said.back()));
  EXPECT_EQ(purges(), 0);
}

TEST_F(RetentionTest, ManyStateEventsAreReadOnce) {
  const RoomId room = make_room();
  for (int i = 0; i < 1100; ++i)
    ASSERT_EQ(outcome(put_state(room, alice, "m.room.topic", R"({"topic":")" + std::to_string(i) + "\"}")), "ok");
  const EventId first = say(room, "first");
  const auto from = [&] { return host.count("room_server", "SELECT MAX(messages_from) FROM rooms"); };
  EXPECT_EQ(from(), 0);
  keep(24h);
  pass();
  EXPECT_GT(from(), 1100);
  say(room, "last");
  host.advance(25h);
  pass();
  EXPECT_FALSE(is_there(first));
}

TEST_F(RetentionTest, AFaultIsTriedAgain) {
  const RoomId room = make_room();
  const EventId first = say(room, "first");
  say(room, "last");
  keep(24h);
  host.fail_writes("room_server", unavailable("disk_full", "no room"), 1);
  host.advance(25h);
  EXPECT_EQ(host.count("room_server", "SELECT COUNT(*) FROM purges"), 0);
  pass();
  EXPECT_FALSE(is_there(first));
}

TEST_F(RetentionTest, ATransactionOfAPurgedMessageMayBeRepeated) {
  const RoomId room = make_room();
  const auto first = send(room, alice, "first", "t");
  ASSERT_EQ(outcome(first), "ok");
  say(room, "last");
  host.stop();
  start({{"history_lifetime", nanoseconds(1h)}, {"transaction_lifetime", nanoseconds(1000h)}});
  host.advance(2h);
  pass();
  ASSERT_FALSE(is_there(first->event_id));
  const auto repeated = send(room, alice, "first", "t");
  ASSERT_EQ(outcome(repeated), "ok");
  EXPECT_NE(repeated->event_id, first->event_id);
  restart();
  EXPECT_EQ(send(room, alice, "first", "t")->event_id, repeated->event_id);
}

TEST_F(RetentionTest, WhoLeftSeesTheStateOfThen) {
  keep(24h);
  const RoomId room = make_room();
  ASSERT_EQ(outcome(join(room, bob)), "ok");
  ASSERT_EQ(outcome(put_state(room, alice, "m.room.topic", R"({"topic":"of then"})")), "ok");
  say(room, "old");
  ASSERT_EQ(outcome(leave(room, bob)), "ok");
  say(room, "old, too");
  ASSERT_EQ(outcome(put_state(room, alice, "m.room.topic", R"({"topic":"of now"})")), "ok");
  host.advance(25h);
  pass();
  EXPECT_EQ(state(room, bob, "m.room.topic"), R"({"topic":"of then"})");
}

TEST(RetentionOptions, AnHourIsTheLeast) {
  const auto fault_of = [](Duration lifetime) -> std::string {
    try {
      testing::FakeHost host;
      host.load("room_server", {{"history_lifetime", nanoseconds(lifetime)}});
      host.start();
      host.stop();
      return "";
    } catch (const std::runtime_error& fault) {
      return fault.what();
    }
  };
  EXPECT_EQ(fault_of(0h), "");
  EXPECT_EQ(fault_of(1h), "");
  EXPECT_THAT(fault_of(59min), HasSubstr("set it to 1h or more"));
  EXPECT_THAT(fault_of(1ns), HasSubstr("set it to 1h or more"));
}

}  // namespace
}  // namespace backplane::room_server
