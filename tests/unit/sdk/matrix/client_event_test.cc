#include "backplane/matrix/client_event.h"

#include <gtest/gtest.h>

#include "test_events.h"

namespace backplane::matrix {
namespace {

std::string client_event(const Event& event, std::string_view room_id, const UnsignedParts& parts = {}) {
  std::string out;
  append_client_event(out, event, room_id, parts);
  return out;
}

TEST(ClientEvent, has_the_members_of_the_specification) {
  const TestRoom room(version("11"));
  const Event event = room.build(room.draft("m.room.topic", "", "@u:a", R"({"topic":"\"x\""})"));
  const std::string id(event.event_id().view());
  const std::string body = R"({"content":{"topic":"\"x\""},"event_id":")" + id + R"(","origin_server_ts":)" +
                           std::to_string(event.origin_server_ts()) +
                           R"(,"sender":"@u:a","state_key":"","type":"m.room.topic")";
  EXPECT_EQ(client_event_body(event), body);
  EXPECT_EQ(client_event(event, ""), body + R"(,"unsigned":{}})");
  EXPECT_EQ(client_event(event, "!room:a"), body + R"(,"room_id":"!room:a","unsigned":{}})");
  UnsignedParts parts;
  parts.age = -5;
  parts.membership = Membership::join;
  parts.transaction_id = "t\"1";
  parts.prev_content = R"({"topic":"y"})";
  parts.replaces_state = "$old";
  parts.redacted_because = "{}";
  parts.more_members = R"("m.relations":{},"x":1)";
  EXPECT_EQ(client_event(event, "", parts),
            body + R"(,"unsigned":{"age":-5,"membership":"join","transaction_id":"t\"1","prev_content":{"topic":"y"},)"
                   R"("replaces_state":"$old","redacted_because":{},"m.relations":{},"x":1}})");
  parts = {};
  parts.more_members = "\"x\":1";
  EXPECT_EQ(client_event(event, "", parts), body + R"(,"unsigned":{"x":1}})");
}

TEST(ClientEvent, a_message_has_no_state_key) {
  const TestRoom room(version("11"));
  const Event event = room.build(room.draft("m.room.message", std::nullopt, "@u:a", "{}"));
  EXPECT_EQ(json::find_raw(client_event(event, ""), "state_key"), std::nullopt);
}

// Spec: room version 11, "Moving the redacts property of m.room.redaction events to a content property".
TEST(ClientEvent, a_redaction_names_its_target_in_both_places) {
  for (const char* v : {"10", "11"}) {
    for (const char* content : {"{}", R"({"reason":"x"})"}) {
      const TestRoom room(version(v));
      EventDraft draft = room.draft("m.room.redaction", std::nullopt, "@u:a", content);
      draft.redacts = EventId("$t");
      const std::string json = client_event(room.build(draft), "");
      const auto document = json::Document::parse_object(json);
      ASSERT_TRUE(document) << json;
      EXPECT_EQ(document->root().find_string("redacts"), "$t");
      EXPECT_EQ(document->root().find("content")->find_string("redacts"), "$t");
    }
  }
}

TEST(ClientEvent, stripped) {
  const TestRoom room(version("11"));
  std::string out;
  append_stripped_state_event(out, room.build(room.draft("m.room.name", "", "@u:a", R"({"name":"x"})")));
  EXPECT_EQ(out, R"({"content":{"name":"x"},"sender":"@u:a","state_key":"","type":"m.room.name"})");
}

// Found by event_fuzz: the body is made by splicing.
TEST(ClientEvent, of_a_damaged_redaction) {
  const Event event = Event::from_stored(R"({"content":,"redacts":"$x","type":"m.room.redaction"})", EventId("$e"),
                                         *find_room_version("1"));
  EXPECT_NE(client_event_body(event).find(R"("content":{})"), std::string::npos);
}

}  // namespace
}  // namespace backplane::matrix
