#include "backplane/matrix/ids.h"

#include <gtest/gtest.h>

namespace backplane::matrix {
namespace {

// Spec: appendices, "Server Name", examples of valid server names.
TEST(Ids, server_names) {
  for (const char* name : {"matrix.org", "matrix.org:8888", "1.2.3.4", "1.2.3.4:1234", "[1234:5678::abcd]",
                           "[1234:5678::abcd]:5678", "domain", "MATRIX.ORG"}) {
    EXPECT_TRUE(parse_server_name(name)) << name;
  }
  for (const char* name : {"", ":80", "a:", "a:b", "a:123456", "a b", "a_b", "[::1", "[::1]x", "[]", "[g::1]", "a:1:2",
                           "[::1]:", "ex/ample"}) {
    EXPECT_FALSE(parse_server_name(name)) << name;
  }
  EXPECT_FALSE(parse_server_name(std::string(256, 'a')));
}

TEST(Ids, user_ids_of_the_historical_character_set_are_accepted) {
  for (const char* id : {"@a:b", "@:b", "@UPPER case é:example.org:8448", "@a:[::1]:80"}) {
    EXPECT_TRUE(parse_user_id(id)) << id;
  }
  for (const char* id : {"", "@", "a:b", "@a", "@a:", "@a: b", "@\xff:b", "#a:b"}) {
    EXPECT_FALSE(parse_user_id(id)) << id;
  }
  EXPECT_FALSE(parse_user_id(std::string("@a\0b:c", 6)));
  EXPECT_TRUE(parse_user_id("@" + std::string(252, 'a') + ":b"));
  EXPECT_FALSE(parse_user_id("@" + std::string(253, 'a') + ":b"));
  EXPECT_EQ(parse_user_id("x").error().reason, "invalid_param");
}

TEST(Ids, rooms_aliases_and_events) {
  EXPECT_TRUE(parse_room_id("!x:domain"));
  EXPECT_TRUE(parse_room_id("!Nhcu5BS-UMnFX7hBVfVSoXiD7OgH6iRT-xyIuqDnpYQ"));
  EXPECT_FALSE(parse_room_id("!"));
  EXPECT_FALSE(parse_room_id("!x:"));
  EXPECT_TRUE(parse_room_alias("#a:b"));
  EXPECT_FALSE(parse_room_alias("#:b"));
  EXPECT_FALSE(parse_room_alias("#a"));
  EXPECT_TRUE(parse_event_id("$Rqnc-F-dvnEYJTyHq_iKxU2bZ1CI92-kuZq3a5lr5Zg"));
  EXPECT_FALSE(parse_event_id("$"));
}

TEST(Ids, new_localparts) {
  const ServerName server("example.org");
  EXPECT_TRUE(is_valid_new_localpart("a-z_0.9=/+", server));
  for (const char* name : {"", "A", "a b", "é", "a:b", "a!"}) {
    EXPECT_FALSE(is_valid_new_localpart(name, server)) << name;
  }
  EXPECT_TRUE(is_valid_new_localpart(std::string(242, 'a'), server));
  EXPECT_FALSE(is_valid_new_localpart(std::string(243, 'a'), server));
}

TEST(Ids, parts) {
  EXPECT_EQ(localpart(UserId("@a:b:80")), "a");
  EXPECT_EQ(server_of(UserId("@a:b:80")).view(), "b:80");
  EXPECT_EQ(localpart(RoomAlias("#x:y")), "x");
  EXPECT_TRUE(server_of(RoomId("!hash")).empty());
  EXPECT_TRUE(is_on_server("@a:b:80", ServerName("b:80")));
  EXPECT_FALSE(is_on_server("@a:b:80", ServerName("80")));
  EXPECT_FALSE(is_on_server("@ab", ServerName("b")));
  EXPECT_EQ(room_id_of_create_event(EventId("$abc")).view(), "!abc");
  EXPECT_EQ(create_event_id_of(RoomId("!abc")).view(), "$abc");
}

}  // namespace
}  // namespace backplane::matrix
