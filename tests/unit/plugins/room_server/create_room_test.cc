#include "backplane/matrix/event_hash.h"
#include "room_fixture.h"

namespace backplane::room_server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct CreateRoomTest : RoomFixture {
  /// Type and state key of every event of the room, in order.
  std::vector<std::string> events(const RoomId& room) {
    std::vector<std::string> out;
    for (const auto& record : records()) {
      if (record.room_id == room)
        out.push_back(record.type + "/" + (record.state_change ? record.state_change->state_key : "-"));
    }
    return out;
  }
  std::string content_of(const RoomId& room, std::string type, std::string state_key = "") {
    return state(room, alice, std::move(type), std::move(state_key));
  }
};

TEST_F(CreateRoomTest, MakesTheEventsInTheOrderOfTheSpecification) {
  api::CreateRoomRequest request;
  request.preset = "public_chat";
  request.room_alias_name = "pub";
  request.name = "The Grand Duke";
  request.topic = "Happy hour";
  request.initial_state = {{"m.room.encryption", "", {R"({"algorithm":"m.megolm.v1.aes-sha2"})"}},
                           {"m.room.name", "", {R"({"name":"overridden"})"}}};
  request.invite = {profile(bob), profile(carol), profile(bob)};
  const auto created = create(request);
  ASSERT_EQ(outcome(created), "ok") << created.error().text;
  EXPECT_EQ(created->room_alias.str(), "#pub:test.example");
  EXPECT_THAT(events(created->room_id),
              ElementsAre("m.room.create/", "m.room.member/@alice:test.example", "m.room.power_levels/",
                          "m.room.canonical_alias/", "m.room.join_rules/", "m.room.history_visibility/",
                          "m.room.guest_access/", "m.room.encryption/", "m.room.name/", "m.room.topic/",
                          "m.room.member/@bob:test.example", "m.room.member/@carol:test.example"));
  EXPECT_EQ(content_of(created->room_id, "m.room.name"), R"({"name":"The Grand Duke"})");
  EXPECT_EQ(content_of(created->room_id, "m.room.topic"),
            R"({"m.topic":{"m.text":[{"body":"Happy hour"}]},"topic":"Happy hour"})");
  EXPECT_EQ(content_of(created->room_id, "m.room.canonical_alias"), R"({"alias":"#pub:test.example"})");
  EXPECT_EQ(created->position, records().empty() ? log::Position{} : host.records("room_events").back()->position);
}

TEST_F(CreateRoomTest, IsOneCommit) {
  const auto before = commits();
  make_room();
  EXPECT_EQ(commits() - before, 1U);
}

TEST_F(CreateRoomTest, Version12RoomsAreNamedAfterTheirCreateEvent) {
  const RoomId room = make_room();
  const auto first = records().front();
  EXPECT_EQ(room, matrix::room_id_of_create_event(first.event_id));
  EXPECT_EQ(matrix::reference_event_id(first.event.text, *matrix::find_room_version("12")), first.event_id);
  EXPECT_FALSE(json::find_raw(first.event.text, "room_id"));
  EXPECT_EQ(content_of(room, "m.room.create"), R"({"room_version":"12"})");
  EXPECT_THAT(content_of(room, "m.room.power_levels"), HasSubstr(R"("users":{})"));
  EXPECT_THAT(content_of(room, "m.room.power_levels"), HasSubstr(R"("m.room.tombstone":150)"));
}

TEST_F(CreateRoomTest, TwoRoomsOfTheSameMomentDiffer) { EXPECT_NE(make_room(), make_room()); }

TEST_F(CreateRoomTest, OlderVersionsNameTheCreator) {
  const RoomId ten = make_room("private_chat", "10");
  EXPECT_THAT(ten.str(), StartsWith("!"));
  EXPECT_EQ(matrix::server_of(ten).str(), "test.example");
  EXPECT_EQ(content_of(ten, "m.room.create"), R"({"creator":"@alice:test.example","room_version":"10"})");
  EXPECT_THAT(content_of(ten, "m.room.power_levels"), HasSubstr(R"("users":{"@alice:test.example":100})"));
  EXPECT_EQ(content_of(make_room("private_chat", "11"), "m.room.create"), R"({"room_version":"11"})");
}

TEST_F(CreateRoomTest, TheServersMembersOfTheCreateEventCannotBeChosen) {
  api::CreateRoomRequest request;
  request.creation_content.text =
      R"({"creator":"@eve:x.example","m.federate":false,"room_version":"1","type":"m.space"})";
  const auto created = create(request);
  ASSERT_TRUE(created);
  EXPECT_EQ(content_of(created->room_id, "m.room.create"),
            R"({"m.federate":false,"room_version":"12","type":"m.space"})");
}

TEST_F(CreateRoomTest, PresetsSetJoinRulesAndGuestAccess) {
  const RoomId open = make_room("public_chat"), closed = make_room("private_chat");
  EXPECT_EQ(content_of(open, "m.room.join_rules"), R"({"join_rule":"public"})");
  EXPECT_EQ(content_of(open, "m.room.guest_access"), R"({"guest_access":"forbidden"})");
  EXPECT_EQ(content_of(closed, "m.room.join_rules"), R"({"join_rule":"invite"})");
  EXPECT_EQ(content_of(closed, "m.room.guest_access"), R"({"guest_access":"can_join"})");
  EXPECT_EQ(content_of(closed, "m.room.history_visibility"), R"({"history_visibility":"shared"})");
}

TEST_F(CreateRoomTest, TrustedInviteesAreEqual) {
  api::CreateRoomRequest request;
  request.preset = "trusted_private_chat";
  request.invite = {profile(bob)};
  request.creation_content.text = R"({"additional_creators":["@carol:test.example","@bob:test.example"]})";
  const auto twelve = create(request);
  ASSERT_TRUE(twelve);
  EXPECT_EQ(content_of(twelve->room_id, "m.room.create"),
            R"({"additional_creators":["@carol:test.example","@bob:test.example"],"room_version":"12"})");
  request.creation_content.text.clear();
  request.room_version = "11";
  const auto eleven = create(request);
  ASSERT_TRUE(eleven);
  EXPECT_THAT(content_of(eleven->room_id, "m.room.power_levels"),
              HasSubstr(R"("users":{"@alice:test.example":100,"@bob:test.example":100})"));
}

TEST_F(CreateRoomTest, InitialStateTakesThePlaceOfThePreset) {
  api::CreateRoomRequest request;
  request.preset = "private_chat";
  request.initial_state = {{"m.room.history_visibility", "", {R"({"history_visibility":"joined"})"}}};
  const auto created = create(request);
  ASSERT_TRUE(created);
  EXPECT_EQ(content_of(created->room_id, "m.room.history_visibility"), R"({"history_visibility":"joined"})");
}

TEST_F(CreateRoomTest, PowerLevelsCanBeOverridden) {
  api::CreateRoomRequest request;
  request.power_level_content_override.text = R"({"invite":99,"events":{"m.room.topic":3}})";
  const auto created = create(request);
  ASSERT_TRUE(created);
  const std::string levels = content_of(created->room_id, "m.room.power_levels");
  EXPECT_THAT(levels, HasSubstr(R"("invite":99)"));
  EXPECT_THAT(levels, HasSubstr(R"("events":{"m.room.topic":3})"));
  EXPECT_THAT(levels, HasSubstr(R"("state_default":50)"));
}

TEST_F(CreateRoomTest, WhatTheRulesForbidMakesNoRoom) {
  api::CreateRoomRequest request;
  request.room_version = "11";
  request.name = "never";
  request.power_level_content_override.text = R"({"users":{"@alice:test.example":10}})";
  const auto before = commits();
  EXPECT_EQ(outcome(create(request)), "invalid/invalid_room_state");
  EXPECT_EQ(commits(), before);
  EXPECT_TRUE(records().empty());
}

TEST_F(CreateRoomTest, RefusesWhatItDoesNotKnow) {
  api::CreateRoomRequest request;
  request.room_version = "13";
  EXPECT_EQ(outcome(create(request)), "invalid/unsupported_room_version");
  request.room_version = "11";
  request.preset = "no_chat";
  EXPECT_EQ(outcome(create(request)), "invalid/invalid_param");
  request.preset.clear();
  request.creation_content.text = "[]";
  EXPECT_EQ(outcome(create(request)), "invalid/bad_json");
  request.creation_content.text = R"({"a":1.5})";
  EXPECT_EQ(outcome(create(request)), "invalid/bad_json");
  request.creation_content.text.clear();
  request.initial_state = {{"m.room.create", "", {"{}"}}};
  EXPECT_EQ(outcome(create(request)), "invalid/invalid_room_state");
  request.initial_state.clear();
  request.room_alias_name = "a:b";
  EXPECT_EQ(outcome(create(request)), "invalid/invalid_param");
  request.room_alias_name.clear();
  request.invite = {profile(UserId("@far:away.example"))};
  EXPECT_EQ(outcome(create(request)), "denied/forbidden");
}

TEST_F(CreateRoomTest, AnAliasIsTakenOnce) {
  api::CreateRoomRequest request;
  request.room_alias_name = "pub";
  ASSERT_TRUE(create(request));
  EXPECT_EQ(outcome(create(request)), "conflict/room_in_use");
}

TEST_F(CreateRoomTest, AFailedWriteLeavesNothing) {
  host.fail_writes("room_server", unavailable("disk_full", "full"));
  api::CreateRoomRequest request;
  request.room_alias_name = "pub";
  EXPECT_EQ(outcome(create(request)), "unavailable/disk_full");
  EXPECT_TRUE(records().empty());
  EXPECT_EQ(outcome(create(request)), "ok");
}

TEST_F(CreateRoomTest, IsPublishedWhenVisible) {
  api::CreateRoomRequest request;
  request.published = true;
  const auto created = create(request);
  ASSERT_TRUE(created);
  EXPECT_EQ(content_of(created->room_id, "m.room.join_rules"), R"({"join_rule":"public"})");
  const auto published = rooms->find_published({}, {created->room_id, alice, false});
  EXPECT_TRUE(published && published->published);
}

}  // namespace
}  // namespace backplane::room_server
