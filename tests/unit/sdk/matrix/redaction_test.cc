#include "backplane/matrix/redaction.h"

#include <gtest/gtest.h>

#include "test_events.h"

namespace backplane::matrix {
namespace {

std::string content(std::string_view v, std::string_view type, std::string_view text) {
  return redact_content(type, canonical(text), version(v));
}

// Spec: room versions, "Redactions".
TEST(Redaction, keeps_the_keys_of_the_room_version) {
  const std::string event = canonical(R"({"event_id":"$x","type":"m.room.message","room_id":"!r:a","sender":"@u:a",
      "state_key":"","content":{"body":"x"},"hashes":{},"signatures":{},"depth":1,"prev_events":[],"prev_state":[],
      "auth_events":[],"origin":"a","origin_server_ts":1,"membership":"join","unsigned":{"age":1},"redacts":"$y",
      "foo":1})");
  EXPECT_EQ(redact_json(event, version("10")),
            canonical(R"({"event_id":"$x","type":"m.room.message","room_id":"!r:a","sender":"@u:a","state_key":"",
                "content":{},"hashes":{},"signatures":{},"depth":1,"prev_events":[],"prev_state":[],"auth_events":[],
                "origin":"a","origin_server_ts":1,"membership":"join"})"));
  for (const char* v : {"11", "12"}) {
    EXPECT_EQ(redact_json(event, version(v)),
              canonical(R"({"event_id":"$x","type":"m.room.message","room_id":"!r:a","sender":"@u:a","state_key":"",
                  "content":{},"hashes":{},"signatures":{},"depth":1,"prev_events":[],"auth_events":[],
                  "origin_server_ts":1})"));
  }
}

TEST(Redaction, members) {
  constexpr std::string_view text = R"({"membership":"invite","displayname":"x",
      "join_authorised_via_users_server":"@u:a",
      "third_party_invite":{"display_name":"x","signed":{"mxid":"@u:a"}}})";
  EXPECT_EQ(content("8", "m.room.member", text), R"({"membership":"invite"})");
  EXPECT_EQ(content("10", "m.room.member", text),
            R"({"join_authorised_via_users_server":"@u:a","membership":"invite"})");
  EXPECT_EQ(content("11", "m.room.member", text), R"({"join_authorised_via_users_server":"@u:a","membership":"invite",)"
                                                  R"("third_party_invite":{"signed":{"mxid":"@u:a"}}})");
  EXPECT_EQ(content("11", "m.room.member", R"({"third_party_invite":{"display_name":"x"}})"), "{}");
}

TEST(Redaction, create_join_rules_and_power_levels) {
  EXPECT_EQ(content("10", "m.room.create", R"({"creator":"@u:a","room_version":"10"})"), R"({"creator":"@u:a"})");
  constexpr std::string_view create = R"({"b":{"x":1},"room_version":"11"})";
  EXPECT_EQ(content("11", "m.room.create", create), create);
  constexpr std::string_view rules = R"({"allow":[],"join_rule":"public","x":1})";
  EXPECT_EQ(content("7", "m.room.join_rules", rules), R"({"join_rule":"public"})");
  EXPECT_EQ(content("8", "m.room.join_rules", rules), R"({"allow":[],"join_rule":"public"})");
  constexpr std::string_view levels = R"({"ban":1,"events":{"a":1},"events_default":2,"invite":3,"kick":4,"redact":5,
      "state_default":6,"users":{"@u:a":7},"users_default":8,"notifications":{"room":9},"x":10})";
  EXPECT_EQ(content("10", "m.room.power_levels", levels),
            R"({"ban":1,"events":{"a":1},"events_default":2,"kick":4,"redact":5,"state_default":6,"users":{"@u:a":7},)"
            R"("users_default":8})");
  EXPECT_EQ(content("11", "m.room.power_levels", levels),
            R"({"ban":1,"events":{"a":1},"events_default":2,"invite":3,"kick":4,"redact":5,"state_default":6,)"
            R"("users":{"@u:a":7},"users_default":8})");
}

TEST(Redaction, other_types) {
  EXPECT_EQ(content("10", "m.room.history_visibility", R"({"history_visibility":"shared","x":1})"),
            R"({"history_visibility":"shared"})");
  EXPECT_EQ(content("10", "m.room.redaction", R"({"reason":"x","redacts":"$x"})"), "{}");
  EXPECT_EQ(content("11", "m.room.redaction", R"({"reason":"x","redacts":"$x"})"), R"({"redacts":"$x"})");
  EXPECT_EQ(content("5", "m.room.aliases", R"({"aliases":["#a:b"]})"), R"({"aliases":["#a:b"]})");
  EXPECT_EQ(content("6", "m.room.aliases", R"({"aliases":["#a:b"]})"), "{}");
  EXPECT_EQ(content("11", "m.room.name", R"({"name":"x"})"), "{}");
}

TEST(Redaction, of_an_event_keeps_its_id) {
  const TestRoom room(version("11"));
  const Event event = room.build(room.draft("m.room.message", std::nullopt, "@u:a", R"({"body":"x"})"));
  const Event redacted = redact(event);
  EXPECT_EQ(redacted.event_id(), event.event_id());
  EXPECT_EQ(redacted.content(), "{}");
  EXPECT_EQ(redacted.signatures(), event.signatures());
  EXPECT_EQ(redact(redacted).json(), redacted.json());
}

}  // namespace
}  // namespace backplane::matrix
