#include <atomic>
#include <thread>

#include "room_fixture.h"

namespace backplane::room_server {
namespace {

struct SubmitDraftTest : RoomFixture {};

TEST_F(SubmitDraftTest, StoresAndPublishesAMessage) {
  const RoomId room = make_room();
  const auto sent = send(room, alice, "hello", "t1");
  ASSERT_TRUE(sent);
  const auto record = records().back();
  EXPECT_EQ(record.kind, api::RoomEventKind::new_event);
  EXPECT_EQ(record.room_id, room);
  EXPECT_EQ(record.room_version.str(), "12");
  EXPECT_EQ(record.event_id, sent->event_id);
  EXPECT_EQ(record.type, "m.room.message");
  EXPECT_EQ(record.sender, alice.str());
  EXPECT_EQ(record.device.str(), "DEVICE");
  EXPECT_EQ(record.transaction_id.str(), "t1");
  EXPECT_EQ(record.history_visibility, "shared");
  EXPECT_EQ(record.topological, 7);
  EXPECT_FALSE(record.state_change);
  EXPECT_FALSE(record.membership);
  EXPECT_EQ(host.records("room_events").back()->position, sent->position);
  const api::EventBody stored = body(sent->event_id);
  EXPECT_EQ(stored.event, record.event);
  EXPECT_EQ(stored.room_id, room);
  EXPECT_EQ(stored.room_version.str(), "12");
  EXPECT_EQ(stored.content_version, 0);
  EXPECT_EQ(json::find_raw(stored.event.text, "content"), R"({"body":"hello"})");
  EXPECT_EQ(json::find_raw(stored.event.text, "origin_server_ts"), "1700000000000");
  EXPECT_FALSE(json::find_raw(stored.event.text, "unsigned"));
}

TEST_F(SubmitDraftTest, EachIsOneCommit) {
  const RoomId room = make_room();
  auto before = commits();
  ASSERT_TRUE(send(room, alice, "hello", "t1"));
  EXPECT_EQ(commits() - before, 1U);
  before = commits();
  ASSERT_TRUE(put_state(room, alice, "m.room.name", R"({"name":"x"})"));
  EXPECT_EQ(commits() - before, 1U);
  before = commits();
  ASSERT_TRUE(join(room, bob));
  EXPECT_EQ(commits() - before, 1U);
}

TEST_F(SubmitDraftTest, AStateEventTellsWhatItReplaces) {
  const RoomId room = make_room();
  const auto first = put_state(room, alice, "m.room.name", R"({"name":"one"})");
  const auto second = put_state(room, alice, "m.room.name", R"({"name":"two"})");
  ASSERT_TRUE(first && second);
  const auto record = records().back();
  ASSERT_TRUE(record.state_change);
  EXPECT_EQ(record.state_change->old_event_id, first->event_id);
  EXPECT_EQ(record.state_change->new_event_id, second->event_id);
  EXPECT_EQ(json::find_raw(record.event.text, "unsigned"),
            R"({"prev_content":{"name":"one"},"prev_sender":"@alice:test.example","replaces_state":")" +
                first->event_id.str() + R"("})");
  EXPECT_EQ(state(room, alice, "m.room.name"), R"({"name":"two"})");
}

TEST_F(SubmitDraftTest, TheSameStateAgainIsTheEventThatIsThere) {
  const RoomId room = make_room();
  const auto first = put_state(room, alice, "org.example", R"({"b":1,"a":2})", "key");
  const auto before = commits();
  const auto again = put_state(room, alice, "org.example", R"({ "a": 2, "b": 1 })", "key");
  ASSERT_TRUE(first && again);
  EXPECT_EQ(again->event_id, first->event_id);
  EXPECT_EQ(again->position, first->position);
  EXPECT_EQ(commits(), before);
  EXPECT_NE(put_state(room, alice, "org.example", R"({"a":2})", "key")->event_id, first->event_id);
  EXPECT_NE(put_state(room, alice, "org.example", R"({"a":2,"b":1})", "other")->event_id, first->event_id);
}

TEST_F(SubmitDraftTest, TheSameStateByOneWhoMayNotIsRefused) {
  const RoomId room = make_room();
  ASSERT_TRUE(join(room, bob));
  ASSERT_TRUE(put_state(room, alice, "m.room.name", R"({"name":"x"})"));
  EXPECT_EQ(outcome(put_state(room, bob, "m.room.name", R"({"name":"x"})")), "denied/forbidden");
}

TEST_F(SubmitDraftTest, OnlyMembersSpeak) {
  const RoomId room = make_room();
  EXPECT_EQ(outcome(send(room, bob, "hello")), "denied/forbidden");
  ASSERT_TRUE(join(room, bob));
  EXPECT_EQ(outcome(send(room, bob, "hello")), "ok");
  ASSERT_TRUE(leave(room, bob));
  EXPECT_EQ(outcome(send(room, bob, "hello")), "denied/forbidden");
  EXPECT_EQ(host.metric("room_server", "events_rejected_total", {{"reason", "auth_rules"}}), 2);
}

TEST_F(SubmitDraftTest, PowerLevelsHold) {
  const RoomId room = make_room("public_chat", "11");
  ASSERT_TRUE(join(room, bob));
  EXPECT_EQ(outcome(put_state(room, bob, "m.room.topic", R"({"topic":"x"})")), "denied/forbidden");
  const std::string levels = R"({"users":{"@alice:test.example":100,"@bob:test.example":50}})";
  EXPECT_EQ(outcome(put_state(room, bob, "m.room.power_levels", levels)), "denied/forbidden");
  EXPECT_EQ(outcome(put_state(room, alice, "m.room.power_levels", levels)), "ok");
  EXPECT_EQ(outcome(put_state(room, bob, "m.room.topic", R"({"topic":"x"})")), "ok");
  EXPECT_EQ(outcome(put_state(room, alice, "m.room.power_levels", R"({"users":{"@alice:test.example":"100"}})")),
            "denied/forbidden");
}

TEST_F(SubmitDraftTest, StateKeysThatNameUsersAreTheirs) {
  const RoomId room = make_room("public_chat", "10");
  EXPECT_EQ(outcome(put_state(room, alice, "org.example", "{}", alice.str())), "ok");
  EXPECT_EQ(outcome(put_state(room, alice, "org.example", "{}", bob.str())), "denied/forbidden");
}

TEST_F(SubmitDraftTest, RefusesWhatNoRoomTakes) {
  const RoomId room = make_room();
  EXPECT_EQ(outcome(put_state(room, alice, "m.room.create", "{}")), "denied/forbidden");
  EXPECT_EQ(outcome(rooms->submit_draft({}, draft(room, alice, "", "{}"))), "invalid/invalid_param");
  EXPECT_EQ(outcome(rooms->submit_draft({}, draft(room, alice, "x", "[]"))), "invalid/bad_json");
  EXPECT_EQ(outcome(rooms->submit_draft({}, draft(room, alice, "x", "{"))), "invalid/not_json");
  EXPECT_EQ(outcome(rooms->submit_draft({}, draft(room, alice, "x", R"({"a":1.5})"))), "invalid/bad_json");
  EXPECT_EQ(outcome(rooms->submit_draft({}, draft(room, alice, "x", R"({"a":9007199254740992})"))), "invalid/bad_json");
  EXPECT_EQ(outcome(put_state(room, alice, std::string(256, 'x'), "{}")), "invalid/too_large");
  EXPECT_EQ(outcome(put_state(room, alice, "x", "{}", std::string(256, 'x'))), "invalid/too_large");
  EXPECT_EQ(outcome(put_state(room, alice, "x", "{}", std::string("a\0b", 3))), "invalid/invalid_param");
  EXPECT_EQ(outcome(put_state(room, alice, "x", "{}", "\xff")), "invalid/invalid_param");
  EXPECT_EQ(outcome(send(room, alice, std::string(70000, 'x'))), "invalid/too_large");
  EXPECT_EQ(outcome(send(room, alice, std::string(65400, 'x'))), "invalid/too_large");
  EXPECT_EQ(outcome(send(room, alice, std::string(60000, 'x'))), "ok");
  EXPECT_EQ(outcome(send(RoomId("!none"), alice, "hello")), "not_found/unknown_room");
  EXPECT_EQ(host.metric("room_server", "lanes_loaded"), 1);
}

TEST_F(SubmitDraftTest, CanonicalAliasesMustBeTheRooms) {
  const RoomId room = make_room(), other = make_room();
  ASSERT_TRUE(rooms->set_alias({}, {RoomAlias("#here:test.example"), alice, room}));
  ASSERT_TRUE(rooms->set_alias({}, {RoomAlias("#there:test.example"), alice, other}));
  const auto put = [&](std::string content) {
    return outcome(put_state(room, alice, "m.room.canonical_alias", std::move(content)));
  };
  EXPECT_EQ(put(R"({"alias":"#none:test.example"})"), "invalid/bad_alias");
  EXPECT_EQ(put(R"({"alias":"#there:test.example"})"), "invalid/bad_alias");
  EXPECT_EQ(put(R"({"alt_aliases":["#there:test.example"]})"), "invalid/bad_alias");
  EXPECT_EQ(put(R"({"alias":"none"})"), "invalid/invalid_param");
  EXPECT_EQ(put(R"({"alt_aliases":[1]})"), "invalid/invalid_param");
  EXPECT_EQ(put(R"({"alias":"#here:test.example"})"), "ok");
  // What is there already is not looked at again.
  ASSERT_TRUE(rooms->delete_alias({}, {RoomAlias("#here:test.example"), alice, {}}));
  EXPECT_EQ(put(R"({"alias":"#here:test.example","x":1})"), "ok");
  EXPECT_EQ(put("{}"), "ok");
}

TEST_F(SubmitDraftTest, MembershipsCanBeStateEvents) {
  const RoomId room = make_room();
  EXPECT_EQ(outcome(put_state(room, bob, "m.room.member", R"({"membership":"join"})", bob.str())), "ok");
  EXPECT_EQ(membership(room, bob), "join");
  EXPECT_EQ(outcome(put_state(room, bob, "m.room.member", R"({"membership":"join"})", carol.str())),
            "denied/forbidden");
  EXPECT_EQ(outcome(put_state(room, bob, "m.room.member", "{}", bob.str())), "invalid/bad_json");
  EXPECT_EQ(outcome(put_state(room, alice, "m.room.member", R"({"membership":"join"})", "bob")),
            "invalid/invalid_param");
  EXPECT_EQ(outcome(put_state(room, alice, "m.room.member", R"({"membership":"ban"})", bob.str())), "ok");
  EXPECT_EQ(membership(room, bob), "ban");
}

TEST_F(SubmitDraftTest, ApplicationServicesSetTheTime) {
  const RoomId room = make_room();
  auto request = draft(room, alice, "m.room.message", "{}");
  request.draft.origin_server_ts = 42;
  const auto sent = rooms->submit_draft({}, request);
  ASSERT_TRUE(sent);
  EXPECT_EQ(json::find_raw(body(sent->event_id).event.text, "origin_server_ts"), "42");
}

TEST_F(SubmitDraftTest, EightThreadsMakeOneLine) {
  const RoomId room = make_room();
  const std::size_t before = records().size();
  constexpr int each = 50;
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        if (!send(room, alice, "m", std::to_string(t) + "." + std::to_string(i))) ++failures;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  const auto all = host.records("room_events");
  ASSERT_EQ(all.size(), before + 8 * each);
  for (std::size_t i = 1; i < all.size(); ++i) {
    const auto last = *from_json<api::RoomEventRecord>(all[i - 1]->payload);
    const auto next = *from_json<api::RoomEventRecord>(all[i]->payload);
    EXPECT_GT(all[i]->position.sequence, all[i - 1]->position.sequence);
    EXPECT_EQ(next.topological, last.topological + 1);
    EXPECT_EQ(json::find_raw(next.event.text, "prev_events"), "[\"" + last.event_id.str() + "\"]");
  }
  EXPECT_LT(commits(), all.size()) << "concurrent sends share commits";
}

}  // namespace
}  // namespace backplane::room_server
