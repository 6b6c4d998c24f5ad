// What is made here in a room of every version is what others take.
#include <gtest/gtest.h>

#include "backplane/matrix/event_hash.h"
#include "room_fixture.h"

namespace backplane::room_server {
namespace {

struct RoomVersionsTest : RoomFixture, ::testing::WithParamInterface<const char*> {
  const matrix::RoomVersion& version = *matrix::find_room_version(GetParam());

  /// The event as another server reads it.
  matrix::Event as_received(const EventId& event_id) {
    const api::EventBody found = body(event_id);
    auto event = matrix::Event::parse_untrusted(found.event.text, version);
    EXPECT_TRUE(event) << event.error().text << "\n" << found.event.text;
    return event ? *event : matrix::Event();
  }
};

TEST_P(RoomVersionsTest, a_room_lives) {
  const RoomId room = make_room("public_chat", GetParam());
  ASSERT_EQ(outcome(join(room, bob)), "ok");
  const auto first = send(room, bob, "first");
  ASSERT_EQ(outcome(first), "ok");
  restart();
  ASSERT_EQ(outcome(put_state(room, alice, "m.room.topic", R"({"topic":"talk"})")), "ok");
  ASSERT_EQ(outcome(send(room, bob, "second")), "ok");
  ASSERT_EQ(outcome(leave(room, bob)), "ok");
  ASSERT_EQ(outcome(ban(room, alice, bob)), "ok");
  EXPECT_EQ(outcome(join(room, bob)), "denied/forbidden");

  EventId before;
  for (const auto& record : records()) {
    const matrix::Event event = as_received(record.event_id);
    ASSERT_TRUE(event);
    EXPECT_EQ(event.event_id(), record.event_id);
    EXPECT_EQ(event.room_id(), room);
    EXPECT_EQ(event.prev_events(), before.empty() ? std::vector<EventId>() : std::vector<EventId>{before});
    EXPECT_NE(event.content(), "{}") << "the content hash matched, or it would be redacted";
    before = event.event_id();
  }
}

TEST_P(RoomVersionsTest, one_may_redact_what_one_said) {
  const RoomId room = make_room("public_chat", GetParam());
  ASSERT_EQ(outcome(join(room, bob)), "ok");
  const auto sent = send(room, bob, "a slip");
  ASSERT_EQ(outcome(redact(room, bob, sent->event_id)), "ok");
  EXPECT_EQ(json::find_raw(body(sent->event_id).event.text, "content"), "{}");
}

INSTANTIATE_TEST_SUITE_P(All, RoomVersionsTest,
                         ::testing::Values("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"),
                         [](const auto& instance) { return std::string("version_") + instance.param; });

}  // namespace
}  // namespace backplane::room_server
