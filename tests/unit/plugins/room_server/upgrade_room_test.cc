// A room in the place of another.
#include <gtest/gtest.h>

#include "room_fixture.h"

namespace backplane::room_server {
namespace {

struct UpgradeRoomTest : RoomFixture {
  Result<api::UpgradeRoomResponse> upgrade(const RoomId& room, const UserId& user, std::string version,
                                           std::vector<UserId> creators = {}) {
    return rooms->upgrade_room({}, {room, profile(user), DeviceId("D"), std::move(version), std::move(creators)});
  }
  std::string content(const RoomId& room, std::string type) { return state(room, alice, std::move(type)); }
  std::string member(const std::string& content, std::string_view name) {
    return std::string(json::find_raw(content, name).value_or("absent"));
  }
};

TEST_F(UpgradeRoomTest, takes_over_the_state_and_points_to_the_new_room) {
  const RoomId old = make_room("public_chat", "10");
  ASSERT_EQ(outcome(put_state(old, alice, "m.room.name", R"({"name":"Home"})")), "ok");
  ASSERT_EQ(outcome(put_state(old, alice, "m.room.encryption", R"({"algorithm":"m.megolm.v1.aes-sha2"})")), "ok");
  ASSERT_EQ(outcome(put_state(old, alice, "org.example.own", "{}")), "ok");
  const std::string levels =
      R"({"ban":60,"events":{"m.room.name":40},"users":{"@alice:test.example":100,"@bob:test.example":50}})";
  ASSERT_EQ(outcome(put_state(old, alice, "m.room.power_levels", levels)), "ok");
  const EventId last = records().back().event_id;

  const auto upgraded = upgrade(old, alice, "11");
  ASSERT_EQ(outcome(upgraded), "ok") << upgraded.error().text;
  const RoomId now = upgraded->replacement_room;
  EXPECT_EQ(member(content(old, "m.room.tombstone"), "replacement_room"), json::quoted(now.view()));
  EXPECT_EQ(content(now, "m.room.create"), R"({"predecessor":{"event_id":")" + last.str() + R"(","room_id":")" +
                                               old.str() + R"("},"room_version":"11"})");
  for (const char* const type : {"m.room.name", "m.room.encryption", "m.room.join_rules", "m.room.history_visibility"})
    EXPECT_EQ(content(now, type), content(old, type)) << type;
  EXPECT_EQ(content(now, "m.room.power_levels"), levels);
  EXPECT_EQ(content(now, "org.example.own"), "not_found/unknown_state");
  EXPECT_EQ(membership(now, alice), "join");
  EXPECT_EQ(membership(now, bob), "");
  const std::string closed = content(old, "m.room.power_levels");
  EXPECT_EQ(member(closed, "events_default"), "50");
  EXPECT_EQ(member(closed, "invite"), "50");
  EXPECT_EQ(member(closed, "ban"), "60");
}

TEST_F(UpgradeRoomTest, moves_aliases_and_the_place_in_the_directory) {
  api::CreateRoomRequest request;
  request.preset = "public_chat";
  request.room_version = "11";
  request.room_alias_name = "home";
  request.published = true;
  const RoomId old = create(request)->room_id;
  const RoomId now = upgrade(old, alice, "12")->replacement_room;
  EXPECT_EQ(rooms->find_alias({}, {RoomAlias("#home:test.example"), alice, {}})->room_id, now);
  EXPECT_EQ(content(now, "m.room.canonical_alias"), R"({"alias":"#home:test.example"})");
  EXPECT_EQ(content(old, "m.room.canonical_alias"), "{}");
  EXPECT_FALSE(rooms->find_published({}, {old, alice, false})->published);
  EXPECT_TRUE(rooms->find_published({}, {now, alice, false})->published);
}

TEST_F(UpgradeRoomTest, room_version_12_names_creators_and_gives_them_no_level) {
  const RoomId old = make_room("public_chat", "11");
  ASSERT_EQ(
      outcome(put_state(old, alice, "m.room.power_levels",
                        R"({"users":{"@alice:test.example":100,"@bob:test.example":100,"@carol:test.example":50}})")),
      "ok");
  const RoomId now = upgrade(old, alice, "12", {bob})->replacement_room;
  EXPECT_EQ(member(content(now, "m.room.create"), "additional_creators"), R"(["@bob:test.example"])");
  EXPECT_EQ(member(content(now, "m.room.power_levels"), "users"), R"({"@carol:test.example":50})");
}

TEST_F(UpgradeRoomTest, who_has_less_power_keeps_it) {
  const RoomId old = make_room("public_chat", "10");
  ASSERT_EQ(outcome(join(old, bob)), "ok");
  const std::string levels =
      R"({"events":{"m.room.server_acl":100,"m.room.tombstone":50},"users":{"@alice:test.example":100,"@bob:test.example":50}})";
  ASSERT_EQ(outcome(put_state(old, alice, "m.room.server_acl", R"({"allow":["*"]})")), "ok");
  ASSERT_EQ(outcome(put_state(old, alice, "m.room.power_levels", levels)), "ok");
  const auto upgraded = upgrade(old, bob, "11");
  ASSERT_EQ(outcome(upgraded), "ok") << upgraded.error().text;
  EXPECT_EQ(state(upgraded->replacement_room, bob, "m.room.power_levels"), levels);
  EXPECT_EQ(state(upgraded->replacement_room, bob, "m.room.server_acl"), R"({"allow":["*"]})");
}

TEST_F(UpgradeRoomTest, needs_the_right_to_set_a_tombstone) {
  const RoomId old = make_room("public_chat", "11");
  ASSERT_EQ(outcome(join(old, bob)), "ok");
  const auto told = records().size();
  EXPECT_EQ(outcome(upgrade(old, bob, "12")), "denied/forbidden");
  EXPECT_EQ(outcome(upgrade(old, carol, "12")), "denied/forbidden");
  EXPECT_EQ(outcome(upgrade(old, alice, "999")), "invalid/unsupported_room_version");
  EXPECT_EQ(outcome(upgrade(RoomId("!none:test.example"), alice, "12")), "not_found/unknown_room");
  EXPECT_EQ(records().size(), told) << "no room was made";
}

TEST_F(UpgradeRoomTest, creators_go_on_having_all_levels) {
  const RoomId old = make_room("public_chat", "12");
  ASSERT_EQ(outcome(put_state(old, alice, "m.room.power_levels", R"({"events":{"m.room.name":150},"users":{}})")),
            "ok");
  const auto upgraded = upgrade(old, alice, "11");
  ASSERT_EQ(outcome(upgraded), "ok") << upgraded.error().text;
  EXPECT_EQ(member(content(upgraded->replacement_room, "m.room.power_levels"), "users"),
            R"({"@alice:test.example":150})");
  EXPECT_EQ(outcome(put_state(upgraded->replacement_room, alice, "m.room.name", R"({"name":"mine"})")), "ok");
}

TEST_F(UpgradeRoomTest, levels_of_the_old_room_are_not_lowered) {
  const RoomId old = make_room("public_chat", "11");
  ASSERT_EQ(outcome(put_state(old, alice, "m.room.power_levels",
                              R"({"events_default":90,"invite":80,"users":{"@alice:test.example":100}})")),
            "ok");
  ASSERT_EQ(outcome(upgrade(old, alice, "12")), "ok");
  const std::string closed = content(old, "m.room.power_levels");
  EXPECT_EQ(member(closed, "events_default"), "90");
  EXPECT_EQ(member(closed, "invite"), "80");
}

}  // namespace
}  // namespace backplane::room_server
