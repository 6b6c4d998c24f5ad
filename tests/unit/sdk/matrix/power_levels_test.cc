#include "backplane/matrix/power_levels.h"

#include <gtest/gtest.h>

#include "test_events.h"

namespace backplane::matrix {
namespace {

RoomCreation creation(std::string_view v, const std::string& content = "{}") {
  return RoomCreation::of(TestRoom(version(v), content).find("m.room.create", ""));
}

TEST(RoomCreation, names_the_creators) {
  const RoomCreation v10 = creation("10", R"({"creator":"@other:a","m.federate":false})");
  EXPECT_EQ(v10.sender.view(), "@creator:a");
  EXPECT_EQ(v10.creator.view(), "@other:a");
  EXPECT_FALSE(v10.federate);
  const RoomCreation v11 = creation("11", R"({"creator":"@other:a","additional_creators":["@x:b"]})");
  EXPECT_EQ(v11.creator.view(), "@creator:a");
  EXPECT_EQ(v11.creators.size(), 1u);
  EXPECT_TRUE(v11.federate);
  const RoomCreation v12 = creation("12", R"({"additional_creators":["@x:b","@creator:a"]})");
  EXPECT_TRUE(v12.is_creator("@creator:a"));
  EXPECT_TRUE(v12.is_creator("@x:b"));
  EXPECT_FALSE(v12.is_creator("@y:b"));
  EXPECT_EQ(v12.creators.size(), 2u);
}

TEST(PowerLevels, without_an_event) {
  const PowerLevels levels(creation("11"));
  EXPECT_FALSE(levels.has_event());
  EXPECT_EQ(levels.of_user("@creator:a"), 100);
  EXPECT_EQ(levels.of_user("@x:a"), 0);
  EXPECT_EQ(levels.ban(), 50);
  EXPECT_EQ(levels.kick(), 50);
  EXPECT_EQ(levels.redact(), 50);
  EXPECT_EQ(levels.invite(), 0);
  EXPECT_EQ(levels.to_send("m.room.name", true), 50);
  EXPECT_EQ(levels.to_send("m.room.message", false), 0);
  EXPECT_EQ(levels.notification("room"), 50);
  EXPECT_EQ(PowerLevels(creation("12")).of_user("@creator:a"), PowerLevels::infinite);
}

TEST(PowerLevels, from_an_event) {
  constexpr std::string_view content = R"({"users":{"@u:a":7,"@b:a":-1},"users_default":3,"events":{"m.room.name":20},
      "events_default":1,"state_default":40,"ban":11,"kick":12,"redact":13,"invite":14,"notifications":{"room":15}})";
  const PowerLevels levels = PowerLevels::parse(content, creation("11")).value();
  EXPECT_TRUE(levels.has_event());
  EXPECT_EQ(levels.of_user(UserId("@u:a")), 7);
  EXPECT_EQ(levels.of_user("@b:a"), -1);
  EXPECT_EQ(levels.of_user("@creator:a"), 3);
  EXPECT_EQ(levels.to_send("m.room.name", true), 20);
  EXPECT_EQ(levels.to_send("m.room.topic", true), 40);
  EXPECT_EQ(levels.to_send("m.room.message", false), 1);
  EXPECT_EQ(levels.ban(), 11);
  EXPECT_EQ(levels.kick(), 12);
  EXPECT_EQ(levels.redact(), 13);
  EXPECT_EQ(levels.invite(), 14);
  EXPECT_EQ(levels.notification("room"), 15);
  const auto v12 = creation("12", R"({"additional_creators":["@x:b"]})");
  EXPECT_EQ(PowerLevels::parse(content, v12)->of_user("@x:b"), PowerLevels::infinite);
}

// Spec: room version 1, "m.room.power_levels events accept values as strings" and "… as floats".
TEST(PowerLevels, in_old_room_versions) {
  const auto level = [](std::string_view text, const char* v) {
    const auto document = json::Document::parse(text);
    return power_level_of(document->root(), version(v));
  };
  for (const char* v : {"1", "5", "6", "9"}) {
    EXPECT_EQ(level("7", v), 7);
    EXPECT_EQ(level("\"100\"", v), 100);
    EXPECT_EQ(level("\"000100\"", v), 100);
    EXPECT_EQ(level("\"+100\"", v), 100);
    EXPECT_EQ(level("\"-100\"", v), -100);
    EXPECT_EQ(level("\" \\t00100\\n \"", v), 100);
    EXPECT_EQ(level("\"99999999999999999999\"", v), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(level("\"-99999999999999999999\"", v), std::numeric_limits<std::int64_t>::min());
    for (const char* bad :
         {"\"\"", "\" \"", "\"+\"", "\"--1\"", "\"1 0\"", "\"1.0\"", "\"0x1\"", "null", "true", "[]"}) {
      EXPECT_EQ(level(bad, v), std::nullopt) << bad;
    }
  }
  EXPECT_EQ(level("50.57", "5"), 50);
  EXPECT_EQ(level("-50.57", "5"), -50);
  EXPECT_EQ(level("5.114698E4", "5"), 51146);
  EXPECT_EQ(level("1e300", "1"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(level("-1e300", "1"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(level("50.57", "6"), std::nullopt);
  EXPECT_EQ(level("\"100\"", "10"), std::nullopt);
  EXPECT_EQ(PowerLevels::parse(R"({"users":{"@u:a":"7"},"ban":"8"})", creation("9"))->of_user("@u:a"), 7);
}

TEST(PowerLevels, of_another_kind_are_refused) {
  for (const char* content :
       {"[]", R"({"ban":"50"})", R"({"users":5})", R"({"users":{"u":5}})", R"({"users":{"@u:a":"5"}})",
        R"({"events":{"x":1.5}})", R"({"events":[]})", R"({"notifications":{"room":null}})"}) {
    EXPECT_FALSE(PowerLevels::parse(content, creation("11"))) << content;
  }
}

}  // namespace
}  // namespace backplane::matrix
