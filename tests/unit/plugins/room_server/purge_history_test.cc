// What was said in a room goes; what is and was current stays.
#include <gtest/gtest.h>

#include "room_fixture.h"

namespace backplane::room_server {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct PurgeHistoryTest : RoomFixture {
  EventId say(const RoomId& room, const std::string& text) {
    host.advance(1s);
    const auto sent = send(room, alice, text);
    EXPECT_EQ(outcome(sent), "ok");
    return sent ? sent->event_id : EventId();
  }
  Result<api::Nothing> purge(const RoomId& room, const EventId& before, std::int64_t before_ts = 0) {
    return rooms->purge_history({}, {room, before, before_ts});
  }
  /// Those of the events that are still there.
  std::vector<EventId> left_of(std::vector<EventId> events) {
    std::vector<EventId> left;
    const auto found = rooms->get_events({}, {std::move(events)});
    for (const api::EventBody& event : found->events) left.push_back(event.event_id);
    return left;
  }
  std::vector<EventId> purged() {
    std::vector<EventId> events;
    for (const auto& record : records())
      if (record.kind == api::RoomEventKind::purged) events.push_back(record.event_id);
    return events;
  }
};

TEST_F(PurgeHistoryTest, WhatWasSaidBeforeAnEventGoes) {
  const RoomId room = make_room();
  const EventId first = say(room, "first"), second = say(room, "second");
  ASSERT_EQ(outcome(put_state(room, alice, "m.room.topic", R"({"topic":"kept"})")), "ok");
  const EventId topic = records().back().event_id;
  ASSERT_EQ(outcome(join(room, bob)), "ok");
  const EventId third = say(room, "third"), last = say(room, "last");
  ASSERT_EQ(outcome(purge(room, third)), "ok");
  EXPECT_THAT(left_of({first, second, topic, third, last}), ElementsAre(first, second, topic, third, last));
  host.advance(1min);
  EXPECT_THAT(left_of({first, second, topic, third, last}), ElementsAre(topic, third, last));
  EXPECT_THAT(purged(), ElementsAre(first, second));
  EXPECT_EQ(state(room, alice, "m.room.topic"), R"({"topic":"kept"})");
  EXPECT_EQ(membership(room, bob), "join");
  EXPECT_EQ(host.count("room_server", "SELECT COUNT(*) FROM purges"), 0);
  restart();
  const auto sent = send(room, bob, "on");
  ASSERT_EQ(outcome(sent), "ok");
}

TEST_F(PurgeHistoryTest, WhatWasSaidBeforeATimeGoes) {
  const RoomId room = make_room();
  const EventId first = say(room, "first");
  host.advance(1h);
  const std::int64_t then = host.clock().wall_ms();
  const EventId second = say(room, "second"), third = say(room, "third");
  ASSERT_EQ(outcome(purge(room, {}, then)), "ok");
  host.advance(1min);
  EXPECT_THAT(left_of({first, second, third}), ElementsAre(second, third));
}

TEST_F(PurgeHistoryTest, WhatTheNextEventFollowsStays) {
  const RoomId room = make_room();
  const EventId first = say(room, "first"), last = say(room, "last");
  ASSERT_EQ(outcome(purge(room, {}, host.clock().wall_ms() + 1'000'000)), "ok");
  host.advance(1min);
  EXPECT_THAT(left_of({first, last}), ElementsAre(last));
  const EventId next = say(room, "next");
  EXPECT_NE(body(next).event.text.find(last.str()), std::string::npos);
}

TEST_F(PurgeHistoryTest, GoesOnAfterAStop) {
  const RoomId room = make_room();
  std::vector<EventId> said;
  for (int i = 0; i < 500; ++i) said.push_back(send(room, alice, "text")->event_id);
  ASSERT_EQ(outcome(purge(room, said.back())), "ok");
  // The second step fails, then the server stops.
  host.fail_writes("room_server", unavailable("disk_full", "no room"), 1, 1);
  host.advance(20s);
  EXPECT_EQ(left_of(said).size(), 300U);
  restart();
  host.advance(1min);
  EXPECT_THAT(left_of(said), ElementsAre(said.back()));
}

TEST_F(PurgeHistoryTest, RefusesWhatItDoesNotKnow) {
  const RoomId room = make_room(), other = make_room();
  EXPECT_EQ(outcome(purge(RoomId("!none:test.example"), EventId("$x"))), "not_found/unknown_room");
  EXPECT_EQ(outcome(purge(room, EventId("$x"))), "not_found/unknown_event");
  EXPECT_EQ(outcome(purge(room, say(other, "elsewhere"))), "not_found/unknown_event");
  EXPECT_EQ(outcome(purge(room, {})), "invalid/missing_param");
  host.advance(1min);
  EXPECT_THAT(purged(), IsEmpty());
}

}  // namespace
}  // namespace backplane::room_server
