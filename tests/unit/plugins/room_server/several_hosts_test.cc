// Two room_servers that share a store, each with the rooms of its own shards.
#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <thread>

#include "backplane/matrix/event_builder.h"
#include "backplane/testing/postgresql_server.h"
#include "room_fixture.h"

namespace backplane::room_server {
namespace {

using namespace std::chrono_literals;

class SeveralHosts : public ::testing::Test {
 protected:
  struct Host {
    Host(const testing::PostgresqlServer& server, std::string name, std::uint64_t seed)
        : host({.seed = seed, .real_time = true, .postgresql = server.connection(), .schemas = "", .host = name}) {
      host.load("room_server");
      host.start();
      rooms = &host.connect<api::RoomServer>();
    }
    Result<api::CreateRoomResponse> create(std::string version, std::string alias = "") {
      api::CreateRoomRequest request;
      request.creator.user = alice;
      request.preset = "public_chat";
      request.room_version = std::move(version);
      request.room_alias_name = std::move(alias);
      Result<api::CreateRoomResponse> created = Error();
      rooms->create_room({}, request, [&](auto result) { created = std::move(result); });
      return created;
    }
    Result<api::SubmitDraftResponse> send(const RoomId& room, std::string content, std::string transaction = "",
                                          std::string type = "m.room.message", EventId redacts = {}) {
      api::SubmitDraftRequest request;
      request.draft = {room, alice, std::move(type), std::nullopt, {std::move(content)}, std::move(redacts), {}};
      request.key = {alice, DeviceId("DEVICE"), "/send/" + room.str(), TransactionId(std::move(transaction))};
      return rooms->submit_draft({}, request);
    }
    testing::FakeHost host;
    api::RoomServer* rooms = nullptr;
  };

  SeveralHosts() {
    for (const std::size_t i : {0, 1}) start(i);
    wait_until_both_create();
  }
  void start(std::size_t i) { hosts[i] = std::make_unique<Host>(server, i == 0 ? "one" : "two", i + 1); }
  static bool eventually(const std::function<bool()>& condition) {
    for (int i = 0; i < 4000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(5ms);
    }
    return false;
  }
  void wait_until_both_create() {
    ASSERT_TRUE(eventually([&] { return hosts[0]->create("11").ok() && hosts[1]->create("11").ok(); }));
  }
  /// The host that has the room, and the other.
  std::pair<Host*, Host*> owner_of(const RoomId& room) {
    std::pair<Host*, Host*> found;
    EXPECT_TRUE(eventually([&] {
      const bool first = outcome(hosts[0]->send(room, "{}")) == "ok",
                 second = outcome(hosts[1]->send(room, "{}")) == "ok";
      found = first ? std::pair(hosts[0].get(), hosts[1].get()) : std::pair(hosts[1].get(), hosts[0].get());
      return first != second;
    }));
    return found;
  }

  testing::PostgresqlServer server;
  std::array<std::unique_ptr<Host>, 2> hosts;
};

TEST_F(SeveralHosts, a_room_is_made_where_it_is_owned_and_refused_elsewhere) {
  std::set<std::uint16_t> lanes;
  for (const char* version : {"10", "11", "12"}) {
    for (int i = 0; i < 10; ++i) {
      const auto made = hosts[0]->create(version);
      ASSERT_EQ(outcome(made), "ok") << made.error().text;
      lanes.insert(log::lane_of(made->room_id.view()));
      EXPECT_EQ(made->position.lane, log::lane_of(made->room_id.view()));
      const RoomId& room = made->room_id;
      ASSERT_EQ(outcome(hosts[0]->send(room, "{\"body\":\"hello\"}")), "ok");

      Host& other = *hosts[1];
      const auto refused = other.send(room, "{\"body\":\"hello\"}");
      ASSERT_EQ(outcome(refused), "unavailable/not_owner");
      EXPECT_THAT(refused.error().fields, ::testing::Contains(ErrorField{"owner", "\"one\""}));
      EXPECT_EQ(outcome(other.rooms->set_alias({}, {RoomAlias("#a:test.example"), alice, room})),
                "unavailable/not_owner");
      EXPECT_EQ(outcome(other.rooms->set_published({}, {room, alice, true})), "unavailable/not_owner");
      EXPECT_EQ(outcome(other.rooms->forget_room({}, {room, alice})), "invalid/not_left");
      // Reads are anybody's.
      EXPECT_EQ(outcome(other.rooms->get_state({}, {room, alice})), "ok");
    }
  }
  EXPECT_LE(lanes.size(), 8U);
  EXPECT_GE(lanes.size(), 4U);
}

TEST_F(SeveralHosts, an_alias_is_given_once) {
  const RoomAlias alias("#here:test.example");
  const auto one = hosts[0]->create("12"), two = hosts[1]->create("12");
  ASSERT_TRUE(one && two);
  std::array<std::string, 2> outcomes;
  {
    const std::array<RoomId, 2> rooms{one->room_id, two->room_id};
    std::vector<std::jthread> threads;
    for (const std::size_t i : {0, 1})
      threads.emplace_back([&, i] { outcomes[i] = outcome(hosts[i]->rooms->set_alias({}, {alias, alice, rooms[i]})); });
  }
  std::ranges::sort(outcomes);
  EXPECT_THAT(outcomes, ::testing::ElementsAre("conflict/alias_in_use", "ok"));
  const auto found = hosts[0]->rooms->find_alias({}, {alias, {}, {}});
  ASSERT_TRUE(found);
  EXPECT_EQ(outcome(hosts[1]->create("12", "here")), "conflict/room_in_use");
  const auto [owner, other] = owner_of(found->room_id);
  EXPECT_EQ(outcome(other->rooms->delete_alias({}, {alias, alice, found->room_id})), "unavailable/not_owner");
  EXPECT_EQ(outcome(owner->rooms->delete_alias({}, {alias, alice, found->room_id})), "ok");
}

TEST_F(SeveralHosts, an_invite_of_another_server_is_taken_by_the_owner_and_seen_by_all) {
  testing::FakeRandom chance{7};
  const matrix::SigningKey key = std::move(*matrix::SigningKey::generate("far", chance));
  matrix::EventDraft draft;
  draft.room_id = RoomId("!room:far.example");
  draft.sender = dave;
  draft.type = "m.room.member";
  draft.state_key = alice.str();
  draft.content = R"({"membership":"invite"})";
  const auto event = matrix::build_event(draft, *matrix::find_room_version("11"), key);
  ASSERT_EQ(outcome(event), "ok");
  const api::ReceiveInviteRequest request{draft.room_id, RoomVersionId("11"), {std::string(event->json())}, {}};
  const std::string one = outcome(hosts[0]->rooms->receive_invite({}, request)),
                    two = outcome(hosts[1]->rooms->receive_invite({}, request));
  EXPECT_THAT((std::set<std::string>{one, two}), ::testing::ElementsAre("ok", "unavailable/not_owner"));
  const std::size_t owner = one == "ok" ? 0 : 1;
  for (const auto& host : hosts) {
    const auto found = host->rooms->find_membership({}, {draft.room_id, alice});
    ASSERT_EQ(outcome(found), "ok");
    EXPECT_EQ(found->membership, "invite");
    const auto records = host->rooms->list_room_events({}, {"", 1000});
    ASSERT_EQ(outcome(records), "ok");
    EXPECT_EQ(std::ranges::count(records->records, draft.room_id.str(), &api::SnapshotRecord::key), 1);
  }
  EXPECT_EQ(outcome(hosts[owner]->rooms->receive_invite({}, request)), "ok") << "a repeat";
}

TEST_F(SeveralHosts, what_one_redacts_the_other_does_not_show) {
  const auto room = hosts[0]->create("11");
  ASSERT_TRUE(room);
  const auto event = hosts[0]->send(room->room_id, "{\"body\":\"secret\"}");
  ASSERT_TRUE(event);
  const auto body = [&](std::size_t i) {
    const auto got = hosts[i]->rooms->get_events({}, {{event->event_id}});
    return got && got->events.size() == 1 ? got->events[0].event.text : std::string();
  };
  for (const std::size_t i : {0, 1, 0, 1}) EXPECT_THAT(body(i), ::testing::HasSubstr("secret"));
  ASSERT_EQ(outcome(hosts[0]->send(room->room_id, "{}", "", "m.room.redaction", event->event_id)), "ok");
  for (const std::size_t i : {0, 1}) EXPECT_THAT(body(i), ::testing::Not(::testing::HasSubstr("secret")));
}

TEST_F(SeveralHosts, what_other_servers_ask_any_host_answers) {
  const auto room = hosts[0]->create("11");
  ASSERT_TRUE(room);
  api::SubmitDraftRequest joined;
  joined.draft = {
      room->room_id, alice, "m.room.history_visibility", "", {R"({"history_visibility":"joined"})"}, {}, {}};
  joined.key = {alice, DeviceId("DEVICE"), "/state/" + room->room_id.str(), {}};
  ASSERT_EQ(outcome(hosts[0]->rooms->submit_draft({}, joined)), "ok");
  const auto event = hosts[0]->send(room->room_id, R"({"body":"hello"})");
  ASSERT_TRUE(event);
  const ServerName own("test.example"), far("far.example");
  for (const std::size_t i : {0, 1}) {
    api::RoomServer& rooms = *hosts[i]->rooms;
    const auto own_server = rooms.get_server_in_room({}, {room->room_id, own});
    ASSERT_EQ(outcome(own_server), "ok");
    EXPECT_TRUE(own_server->joined && own_server->resident && !own_server->denied);
    EXPECT_FALSE(rooms.get_server_in_room({}, {room->room_id, far})->joined);
    EXPECT_THAT(rooms.list_servers_in_room({}, {room->room_id})->servers, ::testing::ElementsAre(own));
    const auto chain = rooms.get_auth_chain({}, {room->room_id, {event->event_id}});
    ASSERT_EQ(outcome(chain), "ok");
    EXPECT_EQ(chain->events.size(), 3U) << "create, power levels, and Alice's join";
    const auto seen = rooms.get_events({}, {{event->event_id}, own});
    ASSERT_EQ(outcome(seen), "ok");
    ASSERT_EQ(seen->events.size(), 1U);
    EXPECT_EQ(json::find_raw(seen->events[0].event.text, "content"), R"({"body":"hello"})");
    EXPECT_TRUE(rooms.get_events({}, {{event->event_id}, far})->events.empty());
    const auto made = rooms.make_membership_event({}, {room->room_id, UserId("@dave:far.example"), {}, {}});
    EXPECT_EQ(outcome(made), i == 0 ? "ok" : "unavailable/not_owner");
  }
}

TEST_F(SeveralHosts, a_room_goes_on_at_the_next_owner_and_a_repeat_is_known_there) {
  const auto room = hosts[0]->create("12");
  ASSERT_TRUE(room);
  const auto first = hosts[0]->send(room->room_id, "{\"body\":\"1\"}", "t1");
  ASSERT_TRUE(first);
  hosts[0].reset();
  ASSERT_TRUE(eventually([&] { return outcome(hosts[1]->send(room->room_id, "{\"body\":\"2\"}", "t2")) == "ok"; }));
  const auto repeated = hosts[1]->send(room->room_id, "{\"body\":\"1\"}", "t1");
  ASSERT_TRUE(repeated);
  EXPECT_EQ(repeated->event_id, first->event_id);

  // Back again: what this host knew of the room before is of no use, whoever has it now.
  start(0);
  wait_until_both_create();
  const auto [owner, other] = owner_of(room->room_id);
  const auto next = owner->send(room->room_id, "{\"body\":\"3\"}");
  ASSERT_TRUE(next);
  EXPECT_GT(next->position.sequence, first->position.sequence);

  // One line: each event names the one before it.
  const auto page = other->rooms->list_room_events({}, {"", 5000});
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->last);
  const auto as_of = log::Positions::decode(page->as_of);
  ASSERT_TRUE(as_of);
  std::int64_t depth = 0;
  std::uint64_t sequence = 0;
  for (const api::SnapshotRecord& record : page->records) {
    EXPECT_TRUE(as_of->covers(record.position));
    EXPECT_GT(record.position.sequence, sequence);
    sequence = record.position.sequence;
    if (record.key != room->room_id.str()) continue;
    const auto document = json::Document::parse_object(record.payload.text);
    ASSERT_TRUE(document);
    EXPECT_EQ(document->root().get_integer("topological").value_or(-1), ++depth);
  }
  EXPECT_GE(depth, 10);
}

}  // namespace
}  // namespace backplane::room_server
