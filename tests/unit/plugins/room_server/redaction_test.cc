#include "backplane/matrix/event_hash.h"
#include "room_fixture.h"

namespace backplane::room_server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct RedactionTest : RoomFixture {};

TEST_F(RedactionTest, TakesTheContentAwayEverywhere) {
  for (const std::string version : {"10", "11", "12"}) {
    const RoomId room = make_room("public_chat", version);
    const auto sent = send(room, alice, "secret");
    ASSERT_TRUE(sent);
    EXPECT_THAT(body(sent->event_id).event.text, HasSubstr("secret"));
    const auto before = commits();
    const auto redaction = redact(room, alice, sent->event_id, "t" + version);
    ASSERT_EQ(outcome(redaction), "ok");
    EXPECT_EQ(commits() - before, 1U);

    const api::EventBody stored = body(sent->event_id);
    EXPECT_THAT(stored.event.text, Not(HasSubstr("secret")));
    EXPECT_EQ(stored.content_version, 1);
    EXPECT_EQ(matrix::reference_event_id(stored.event.text, *matrix::find_room_version(version)), sent->event_id);
    const auto because = json::find_raw(*json::find_raw(stored.event.text, "unsigned"), "redacted_because");
    ASSERT_TRUE(because);
    EXPECT_EQ(json::find_raw_string(*because, "event_id"), redaction->event_id.str());
    EXPECT_EQ(json::find_raw_string(*because, "redacts"), sent->event_id.str());
    EXPECT_EQ(json::find_raw_string(*because, "room_id"), room.str());

    const std::string own = body(redaction->event_id).event.text;
    const auto redacts_in_content = json::find_raw_string(*json::find_raw(own, "content"), "redacts");
    EXPECT_EQ(redacts_in_content.value_or(""), version == "10" ? "" : sent->event_id.str());
    EXPECT_EQ(json::find_raw_string(own, "redacts").value_or(""), version == "10" ? sent->event_id.str() : "");

    const auto all = records();
    const auto& last = all.back();
    EXPECT_EQ(last.kind, api::RoomEventKind::redacted);
    EXPECT_EQ(last.event_id, sent->event_id);
    EXPECT_EQ(last.event, stored.event);
    EXPECT_EQ(last.content_version, 1);
    EXPECT_EQ(last.type, "m.room.message");
    EXPECT_EQ(all[all.size() - 2].event_id, redaction->event_id);
    EXPECT_EQ(all[all.size() - 2].transaction_id.str(), "t" + version);
    EXPECT_EQ(host.records("room_events").back()->position, redaction->position);
  }
}

TEST_F(RedactionTest, OthersEventsNeedTheLevel) {
  const RoomId room = make_room();
  ASSERT_TRUE(join(room, bob));
  ASSERT_TRUE(join(room, carol));
  const auto of_bob = send(room, bob, "x");
  EXPECT_EQ(outcome(redact(room, carol, of_bob->event_id)), "denied/forbidden");
  EXPECT_EQ(outcome(redact(room, bob, of_bob->event_id)), "ok");
  EXPECT_EQ(outcome(redact(room, alice, send(room, bob, "y")->event_id)), "ok");
  ASSERT_TRUE(leave(room, bob));
  EXPECT_EQ(outcome(redact(room, bob, of_bob->event_id)), "denied/forbidden");
}

TEST_F(RedactionTest, WhatIsNotThereIsNotFound) {
  const RoomId room = make_room(), other = make_room();
  const auto elsewhere = send(other, alice, "x");
  EXPECT_EQ(outcome(redact(room, alice, EventId("$none"))), "not_found/unknown_event");
  EXPECT_EQ(outcome(redact(room, alice, elsewhere->event_id)), "not_found/unknown_event");
  EXPECT_EQ(outcome(redact(room, carol, elsewhere->event_id)), "denied/forbidden");
  EXPECT_EQ(outcome(redact(RoomId("!none"), alice, elsewhere->event_id)), "not_found/unknown_room");
  EXPECT_EQ(outcome(rooms->submit_draft({}, draft(room, alice, "m.room.redaction", "{}"))), "invalid/missing_param");
}

TEST_F(RedactionTest, ASecondRedactionChangesNothingMore) {
  const RoomId room = make_room();
  const auto sent = send(room, alice, "x");
  ASSERT_TRUE(redact(room, alice, sent->event_id));
  const api::EventBody first = body(sent->event_id);
  const auto count = records().size();
  EXPECT_EQ(outcome(redact(room, alice, sent->event_id)), "ok");
  EXPECT_EQ(body(sent->event_id).event, first.event);
  EXPECT_EQ(records().size(), count + 1);
}

TEST_F(RedactionTest, RedactionsBySendNameTheTargetInTheContent) {
  const RoomId room = make_room();
  const auto sent = send(room, alice, "x");
  EXPECT_EQ(outcome(rooms->submit_draft(
                {}, draft(room, alice, "m.room.redaction", R"({"redacts":")" + sent->event_id.str() + R"("})"))),
            "ok");
  EXPECT_EQ(body(sent->event_id).content_version, 1);
}

TEST_F(RedactionTest, CurrentStateIsRedactedInEveryView) {
  const RoomId room = make_room();
  ASSERT_TRUE(rooms->set_published({}, {room, alice, true}));
  const auto name = put_state(room, alice, "m.room.name", R"({"name":"secret"})");
  ASSERT_TRUE(redact(room, alice, name->event_id));
  EXPECT_EQ(state(room, alice, "m.room.name"), "{}");
  EXPECT_EQ(rooms->list_public_rooms({}, {})->chunk.front().name, std::nullopt);
  const auto next = put_state(room, alice, "m.room.name", R"({"name":"new"})");
  EXPECT_THAT(body(next->event_id).event.text, Not(HasSubstr("secret")));
}

TEST_F(RedactionTest, WhatReplacedItForgetsItToo) {
  const RoomId room = make_room();
  const auto first = put_state(room, alice, "m.room.name", R"({"name":"secret"})");
  const auto second = put_state(room, alice, "m.room.name", R"({"name":"new"})");
  EXPECT_THAT(body(second->event_id).event.text, HasSubstr("secret"));
  ASSERT_TRUE(redact(room, alice, first->event_id));
  const api::EventBody stored = body(second->event_id);
  EXPECT_THAT(stored.event.text, Not(HasSubstr("secret")));
  EXPECT_EQ(stored.content_version, 1);
  EXPECT_EQ(records().back().event_id, second->event_id);
  EXPECT_EQ(records().back().event, stored.event);
  EXPECT_EQ(state(room, alice, "m.room.name"), R"({"name":"new"})");
}

TEST_F(RedactionTest, RedactedRulesHoldAtOnce) {
  const RoomId room = make_room("public_chat", "11");
  const auto rules = put_state(room, alice, "m.room.history_visibility", R"({"history_visibility":"joined","x":1})");
  ASSERT_TRUE(send(room, alice, "x"));
  EXPECT_EQ(records().back().history_visibility, "joined");
  ASSERT_TRUE(redact(room, alice, rules->event_id));
  EXPECT_EQ(state(room, alice, "m.room.history_visibility"), R"({"history_visibility":"joined"})");
  const auto join_rules = put_state(room, alice, "m.room.join_rules", R"({"join_rule":"invite"})");
  ASSERT_TRUE(redact(room, alice, join_rules->event_id));
  EXPECT_EQ(outcome(join(room, bob)), "denied/forbidden");
}

TEST_F(RedactionTest, RolledBackWithItsEvent) {
  const RoomId room = make_room();
  const auto sent = send(room, alice, "x");
  const api::EventBody before = body(sent->event_id);
  host.fail_writes("room_server", unavailable("disk_full", "full"));
  EXPECT_EQ(outcome(redact(room, alice, sent->event_id)), "unavailable/disk_full");
  EXPECT_EQ(body(sent->event_id).event, before.event);
  EXPECT_EQ(outcome(redact(room, alice, sent->event_id)), "ok");
}

}  // namespace
}  // namespace backplane::room_server
