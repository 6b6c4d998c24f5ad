#include <map>

#include "room_fixture.h"

namespace backplane::room_server {
namespace {

struct SnapshotTest : RoomFixture {
  struct Snapshot {
    std::map<std::uint64_t, std::string> payloads;  ///< by position
    std::string as_of;
    std::size_t pages = 0;
  };
  Snapshot take(std::uint32_t limit) {
    Snapshot out;
    std::string after;
    std::uint64_t last = 0;
    for (;;) {
      const auto page = rooms->list_room_events({}, {after, limit});
      EXPECT_TRUE(page);
      if (!page) return out;
      ++out.pages;
      for (const auto& record : page->records) {
        EXPECT_GT(record.position.sequence, last);
        last = record.position.sequence;
        out.payloads[last] = record.payload.text;
        EXPECT_FALSE(record.key.empty());
      }
      after = std::to_string(last);
      if (page->last) {
        out.as_of = page->as_of;
        return out;
      }
      EXPECT_EQ(page->records.size(), limit);
    }
  }
};

TEST_F(SnapshotTest, IsWhatWasPublished) {
  const RoomId one = make_room("public_chat", "12"), two = make_room("private_chat", "10");
  ASSERT_TRUE(join(one, bob));
  ASSERT_TRUE(send(one, bob, "x", "t"));
  ASSERT_TRUE(put_state(two, alice, "m.room.name", R"({"name":"x"})"));
  ASSERT_TRUE(put_state(two, alice, "m.room.name", R"({"name":"y"})"));
  ASSERT_TRUE(leave(one, bob));
  ASSERT_TRUE(rooms->forget_room({}, {one, bob}));
  ASSERT_TRUE(send(one, alice, "after"));
  std::map<std::uint64_t, std::string> published;
  for (const auto& record : host.records("room_events")) published[record->position.sequence] = record->payload;
  for (const std::uint32_t limit : {1U, 4U, 500U}) {
    const Snapshot snapshot = take(limit);
    EXPECT_TRUE(snapshot.payloads == published);
    EXPECT_EQ(snapshot.as_of, std::to_string(published.rbegin()->first));
  }
}

TEST_F(SnapshotTest, HasRedactedEventsAsTheyAreNow) {
  const RoomId room = make_room();
  const auto sent = send(room, alice, "secret");
  ASSERT_TRUE(redact(room, alice, sent->event_id));
  const Snapshot snapshot = take(500);
  const auto record = *from_json<api::RoomEventRecord>(snapshot.payloads.at(sent->position.sequence));
  EXPECT_EQ(record.kind, api::RoomEventKind::new_event);
  EXPECT_EQ(record.event, body(sent->event_id).event);
  EXPECT_EQ(record.content_version, 1);
  EXPECT_EQ(snapshot.payloads.size(), records().size() - 1);
  EXPECT_EQ(snapshot.as_of, std::to_string(host.records("room_events").back()->position.sequence));
}

TEST_F(SnapshotTest, LargeEventsAreReferences) {
  const RoomId room = make_room();
  const std::string large = "{\"x\":\"" + std::string(40000, 'x') + "\"}",
                    other = "{\"x\":\"" + std::string(40000, 'y') + "\"}";
  ASSERT_TRUE(put_state(room, alice, "org.example", large));
  EXPECT_FALSE(records().back().event.empty());
  const auto second = put_state(room, alice, "org.example", other);
  EXPECT_TRUE(records().back().event.empty());
  EXPECT_GT(body(second->event_id).event.text.size(), 80000U);
}

TEST_F(SnapshotTest, OfNothingIsEmpty) {
  const auto page = rooms->list_room_events({}, {});
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->records.empty());
  EXPECT_TRUE(page->last);
  EXPECT_EQ(outcome(rooms->list_room_events({}, {"x", 1})), "invalid/invalid_param");
}

}  // namespace
}  // namespace backplane::room_server
