#include "room_fixture.h"

namespace backplane::room_server {
namespace {

using ::testing::ElementsAre;

struct DirectoryTest : RoomFixture {
  api::AliasRequest alias(std::string name, const UserId& user, const RoomId& room = {}) {
    return {RoomAlias("#" + std::move(name) + ":test.example"), user, room};
  }
  RoomId publish(std::string name, int members, std::string type = "") {
    api::CreateRoomRequest request;
    request.published = true;
    request.name = std::move(name);
    if (!type.empty()) request.creation_content.text = "{\"type\":" + json::quoted(type) + "}";
    const RoomId room = create(std::move(request))->room_id;
    for (int i = 1; i < members; ++i) EXPECT_TRUE(join(room, UserId("@u" + std::to_string(i) + ":test.example")));
    return room;
  }
  static std::vector<std::string> names(const api::ListPublicRoomsResponse& response) {
    std::vector<std::string> out;
    for (const auto& room : response.chunk) out.push_back(room.name.value_or(""));
    return out;
  }
};

TEST_F(DirectoryTest, AliasesAreMadeFoundAndDeleted) {
  const RoomId room = make_room();
  EXPECT_EQ(outcome(rooms->set_alias({}, alias("a", bob, room))), "denied/forbidden");
  EXPECT_EQ(outcome(rooms->set_alias({}, alias("a", alice, RoomId("!none")))), "not_found/unknown_room");
  EXPECT_EQ(outcome(rooms->set_alias({}, {RoomAlias("#a:other.example"), alice, room})), "invalid/invalid_param");
  EXPECT_EQ(outcome(rooms->set_alias({}, {RoomAlias("a"), alice, room})), "invalid/invalid_param");
  EXPECT_EQ(outcome(rooms->set_alias({}, alias("a", alice, room))), "ok");
  EXPECT_EQ(outcome(rooms->set_alias({}, alias("a", alice, room))), "conflict/alias_in_use");
  const auto found = rooms->find_alias({}, alias("a", carol));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->room_id, room);
  EXPECT_THAT(found->servers, ElementsAre(ServerName("test.example")));
  EXPECT_EQ(outcome(rooms->find_alias({}, alias("b", carol))), "not_found/unknown_alias");
  EXPECT_EQ(outcome(rooms->find_alias({}, {RoomAlias("b"), carol, {}})), "invalid/invalid_param");
  EXPECT_EQ(outcome(rooms->delete_alias({}, alias("b", alice))), "not_found/unknown_alias");
  EXPECT_EQ(outcome(rooms->delete_alias({}, alias("a", bob))), "denied/forbidden");
  EXPECT_EQ(outcome(rooms->delete_alias({}, alias("a", alice))), "ok");
  EXPECT_EQ(outcome(rooms->find_alias({}, alias("a", carol))), "not_found/unknown_alias");
}

TEST_F(DirectoryTest, MakersAndThoseWithPowerDeleteAliases) {
  const RoomId room = make_room();
  ASSERT_TRUE(join(room, bob));
  ASSERT_TRUE(join(room, carol));
  ASSERT_TRUE(rooms->set_alias({}, alias("bobs", bob, room)));
  ASSERT_TRUE(rooms->set_alias({}, alias("bobs2", bob, room)));
  EXPECT_EQ(outcome(rooms->delete_alias({}, alias("bobs", carol))), "denied/forbidden");
  EXPECT_EQ(outcome(rooms->delete_alias({}, alias("bobs", alice))), "ok");
  EXPECT_EQ(outcome(rooms->delete_alias({}, alias("bobs2", bob))), "ok");
}

TEST_F(DirectoryTest, AliasesOfARoomAreForItsMembers) {
  const RoomId room = make_room();
  ASSERT_TRUE(rooms->set_alias({}, alias("b", alice, room)));
  host.fake_clock().advance(std::chrono::seconds(1));
  ASSERT_TRUE(rooms->set_alias({}, alias("a", alice, room)));
  EXPECT_THAT(rooms->list_aliases({}, {room, alice})->aliases,
              ElementsAre(RoomAlias("#b:test.example"), RoomAlias("#a:test.example")));
  EXPECT_EQ(outcome(rooms->list_aliases({}, {room, bob})), "denied/not_in_room");
  ASSERT_TRUE(join(room, bob));
  ASSERT_TRUE(leave(room, bob));
  EXPECT_EQ(outcome(rooms->list_aliases({}, {room, bob})), "denied/not_in_room");
  ASSERT_TRUE(put_state(room, alice, "m.room.history_visibility", R"({"history_visibility":"world_readable"})"));
  EXPECT_EQ(outcome(rooms->list_aliases({}, {room, carol})), "ok");
}

TEST_F(DirectoryTest, PublishingNeedsThePowerOverAliases) {
  const RoomId room = make_room();
  ASSERT_TRUE(join(room, bob));
  EXPECT_FALSE(rooms->find_published({}, {room, carol, false})->published);
  EXPECT_EQ(outcome(rooms->set_published({}, {room, bob, true})), "denied/forbidden");
  EXPECT_EQ(outcome(rooms->set_published({}, {room, carol, true})), "denied/forbidden");
  EXPECT_EQ(outcome(rooms->set_published({}, {RoomId("!none"), alice, true})), "not_found/unknown_room");
  EXPECT_EQ(outcome(rooms->set_published({}, {room, alice, true})), "ok");
  EXPECT_TRUE(rooms->find_published({}, {room, carol, false})->published);
  EXPECT_EQ(rooms->list_public_rooms({}, {})->chunk.size(), 1U);
  EXPECT_EQ(outcome(rooms->set_published({}, {room, alice, false})), "ok");
  EXPECT_TRUE(rooms->list_public_rooms({}, {})->chunk.empty());
  EXPECT_EQ(outcome(rooms->find_published({}, {RoomId("!none"), carol, false})), "not_found/unknown_room");
}

TEST_F(DirectoryTest, ShowsWhatIsKnownOfARoom) {
  api::CreateRoomRequest request;
  request.published = true;
  request.name = "Name";
  request.topic = "Topic";
  request.room_alias_name = "pub";
  request.creation_content.text = R"({"type":"m.space"})";
  request.initial_state = {{"m.room.avatar", "", {R"({"url":"mxc://x/y"})"}},
                           {"m.room.guest_access", "", {R"({"guest_access":"can_join"})"}},
                           {"m.room.history_visibility", "", {R"({"history_visibility":"world_readable"})"}}};
  const auto created = create(request);
  ASSERT_TRUE(created);
  ASSERT_TRUE(join(created->room_id, bob));
  const auto listed = rooms->list_public_rooms({}, {});
  ASSERT_TRUE(listed);
  ASSERT_EQ(listed->chunk.size(), 1U);
  const api::PublicRoom& room = listed->chunk.front();
  EXPECT_EQ(room.room_id, created->room_id);
  EXPECT_EQ(room.num_joined_members, 2);
  EXPECT_EQ(room.name, "Name");
  EXPECT_EQ(room.topic, "Topic");
  EXPECT_EQ(room.avatar_url, "mxc://x/y");
  EXPECT_EQ(room.canonical_alias, "#pub:test.example");
  EXPECT_EQ(room.join_rule, "public");
  EXPECT_EQ(room.room_type, "m.space");
  EXPECT_TRUE(room.world_readable);
  EXPECT_TRUE(room.guest_can_join);
  EXPECT_EQ(listed->total_room_count_estimate, 1);
  ASSERT_TRUE(put_state(created->room_id, alice, "m.room.name", "{}"));
  ASSERT_TRUE(leave(created->room_id, bob));
  EXPECT_EQ(rooms->list_public_rooms({}, {})->chunk.front().name, std::nullopt);
  EXPECT_EQ(rooms->list_public_rooms({}, {})->chunk.front().num_joined_members, 1);
}

TEST_F(DirectoryTest, LargestFirstInPages) {
  publish("two", 2);
  publish("four", 4);
  publish("one", 1);
  publish("three", 3);
  publish("also one", 1);
  api::ListPublicRoomsRequest request;
  request.limit = 2;
  const auto first = *rooms->list_public_rooms({}, request);
  EXPECT_THAT(names(first), ElementsAre("four", "three"));
  EXPECT_EQ(first.prev_batch, "");
  EXPECT_EQ(first.total_room_count_estimate, 5);
  request.since = first.next_batch;
  const auto second = *rooms->list_public_rooms({}, request);
  EXPECT_THAT(names(second), ElementsAre("two", "also one"));
  request.since = second.next_batch;
  const auto third = *rooms->list_public_rooms({}, request);
  EXPECT_THAT(names(third), ElementsAre("one"));
  EXPECT_EQ(third.next_batch, "");
  request.since = third.prev_batch;
  const auto back = *rooms->list_public_rooms({}, request);
  EXPECT_THAT(names(back), ElementsAre("two", "also one"));
  request.since = back.prev_batch;
  const auto start = *rooms->list_public_rooms({}, request);
  EXPECT_THAT(names(start), ElementsAre("four", "three"));
  EXPECT_EQ(start.prev_batch, "");
  request.since = "somewhere";
  EXPECT_EQ(outcome(rooms->list_public_rooms({}, request)), "invalid/invalid_param");
}

TEST_F(DirectoryTest, FiltersByWordsAndType) {
  publish("The Grand Duke", 1);
  publish("A Space", 2, "m.space");
  publish("Other", 3);
  api::ListPublicRoomsRequest request;
  request.search_term = "grand";
  EXPECT_THAT(names(*rooms->list_public_rooms({}, request)), ElementsAre("The Grand Duke"));
  request.search_term.clear();
  request.room_types = {"m.space"};
  EXPECT_THAT(names(*rooms->list_public_rooms({}, request)), ElementsAre("A Space"));
  request.room_types = {std::nullopt};
  EXPECT_THAT(names(*rooms->list_public_rooms({}, request)), ElementsAre("Other", "The Grand Duke"));
  request.room_types = {std::nullopt, "m.space"};
  EXPECT_EQ(rooms->list_public_rooms({}, request)->chunk.size(), 3U);
}

}  // namespace
}  // namespace backplane::room_server
