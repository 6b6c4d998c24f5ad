#include "filter.h"

#include <gtest/gtest.h>

namespace backplane::sync_api {
namespace {

// Client-Server API, POST /user/{userId}/filter: the example.
constexpr const char* spec_example = R"({
  "event_fields": ["type", "content", "sender"],
  "event_format": "client",
  "presence": {"types": ["m.presence"], "not_senders": ["@alice:example.com"]},
  "room": {
    "ephemeral": {"types": ["m.receipt", "m.typing"], "not_rooms": ["!726s6s6q:example.com"],
                  "not_senders": ["@spam:example.com"]},
    "state": {"types": ["m.room.*"], "not_rooms": ["!726s6s6q:example.com"]},
    "timeline": {"limit": 10, "types": ["m.room.message"], "not_rooms": ["!726s6s6q:example.com"],
                 "not_senders": ["@spam:example.com"]}
  }
})";

TEST(Filter, ReadsTheExampleOfTheSpecification) {
  const auto filter = parse_filter(spec_example);
  ASSERT_TRUE(filter) << filter.error().text;
  EXPECT_EQ(filter->timeline.limit, 10U);
  EXPECT_TRUE(filter->timeline.allows("m.room.message", "@alice:example.com"));
  EXPECT_FALSE(filter->timeline.allows("m.room.message", "@spam:example.com"));
  EXPECT_FALSE(filter->timeline.allows("m.room.member", "@alice:example.com"));
  EXPECT_FALSE(filter->timeline.allows_room("!726s6s6q:example.com"));
  EXPECT_TRUE(filter->timeline.allows_room("!other:example.com"));
  EXPECT_TRUE(filter->state.allows_type("m.room.name"));
  EXPECT_FALSE(filter->state.allows_type("org.example"));
  EXPECT_FALSE(filter->presence.allows_sender("@alice:example.com"));
  EXPECT_TRUE(filter->ephemeral.allows_type("m.typing"));
}

TEST(Filter, AnEmptyListKeepsNothingAndAnAbsentOneEverything) {
  const auto filter = parse_filter(R"({"room":{"rooms":[],"state":{"types":[]}}})");
  ASSERT_TRUE(filter);
  EXPECT_FALSE(filter->allows_room("!a"));
  EXPECT_TRUE(filter->state.nothing());
  EXPECT_FALSE(filter->timeline.nothing());
  EXPECT_TRUE(parse_filter("{}")->allows_room("!a"));
}

TEST(Filter, ExclusionWins) {
  const auto filter = parse_filter(R"({"room":{"rooms":["!a"],"not_rooms":["!a"],
      "timeline":{"types":["*"],"not_types":["m.room.*"],"senders":["@a:x"],"not_senders":["@a:x"]}}})");
  ASSERT_TRUE(filter);
  EXPECT_FALSE(filter->allows_room("!a"));
  EXPECT_FALSE(filter->timeline.allows_type("m.room.message"));
  EXPECT_TRUE(filter->timeline.allows_type("org.example"));
  EXPECT_FALSE(filter->timeline.allows_sender("@a:x"));
}

TEST(Filter, WildcardsMatchAnySequence) {
  EventFilter filter;
  filter.types = std::vector<std::string>{"a*b*c"};
  for (const char* type : {"abc", "aXbYc", "abbcbc"}) EXPECT_TRUE(filter.allows_type(type)) << type;
  for (const char* type : {"ab", "abcd", "xabc", ""}) EXPECT_FALSE(filter.allows_type(type)) << type;
}

TEST(Filter, ContentWithAUrl) {
  const auto with = parse_room_event_filter(R"({"contains_url":true})");
  ASSERT_TRUE(with);
  EXPECT_TRUE(with->allows_content(R"({"body":"x","url":"mxc://a/b"})"));
  EXPECT_FALSE(with->allows_content(R"({"body":"url"})"));
  EXPECT_FALSE(parse_room_event_filter(R"({"contains_url":false})")->allows_content(R"({"url":1})"));
}

TEST(Filter, WrongKindsAreErrors) {
  for (const char* text :
       {"[]", "{", R"({"room":[]})", R"({"room":{"timeline":{"limit":"10"}}})", R"({"event_format":"xml"})",
        R"({"room":{"timeline":{"types":"m.room.message"}}})", R"({"room":{"timeline":{"types":[1]}}})",
        R"({"room":{"include_leave":1}})", R"({"room":{"timeline":{"limit":-1}}})"}) {
    EXPECT_FALSE(parse_filter(text)) << text;
  }
}

}  // namespace
}  // namespace backplane::sync_api
