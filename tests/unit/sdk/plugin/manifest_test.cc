#include "backplane/plugin/manifest.h"

#include <gtest/gtest.h>

#include <chrono>

#include "backplane/base/encoding.h"

namespace backplane::plugin {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view whole = R"({
  "name": "room_server", "version": "0.1.0", "sdk_abi": 1, "summary": "Rooms.", "status": "beta",
  "exposure": "internal", "tier": 2,
  "provides": ["backplane.room_server/1"],
  "requires": [{"interface": "backplane.user_api/1", "need": "late", "wire": "user"}],
  "publishes": [{"topic": "room_events"}, {"topic": "typing", "durable": false}],
  "consumes": [{"topic": "client_data", "log": "1", "subscription": "both", "from": "snapshot"}],
  "routes": ["GET /_matrix/client/v3/rooms/{roomId}"],
  "options": [
    {"name": "default_room_version", "type": "enum", "choices": ["10", "11", "12"], "default": "12", "doc": "For new rooms."},
    {"name": "lane_timeout", "type": "duration", "default": "30s", "minimum": "1s", "doc": "d", "reloadable": true},
    {"name": "cache", "type": "bytes", "default": "1MiB", "maximum": 2097152, "doc": "d"},
    {"name": "suffixes", "type": "list", "default": ["a", "b"], "doc": "d"},
    {"name": "token", "type": "secret", "required": true, "doc": "d"}
  ]
})";

/// The manifest with one option in place of all.
std::string with_option(std::string_view option) {
  return std::string(R"({"name": "x", "version": "1", "sdk_abi": 1, "summary": "s", "status": "beta",
    "exposure": "public", "options": [)") +
         std::string(option) + "]}";
}

std::string fault_of(std::string_view text) {
  const auto manifest = parse_manifest(text);
  return manifest ? "none" : manifest.error().text;
}

std::string replaced(std::string_view from, std::string_view to) {
  std::string text(whole);
  text.replace(text.find(from), from.size(), to);
  return text;
}

TEST(Manifest, reads_every_member) {
  const auto parsed = parse_manifest(whole);
  ASSERT_TRUE(parsed) << parsed.error().text;
  const Manifest& manifest = *parsed;
  EXPECT_EQ(manifest.name, "room_server");
  EXPECT_EQ(manifest.requires_.at(0).need, Need::late);
  EXPECT_EQ(manifest.requires_.at(0).wire, "user");
  EXPECT_TRUE(manifest.publishes.at(0).durable);
  EXPECT_FALSE(manifest.publishes.at(1).durable);
  EXPECT_EQ(manifest.consumes.at(0).subscription, "both");
  const OptionSpec* timeout = manifest.find_option("lane_timeout");
  ASSERT_NE(timeout, nullptr);
  EXPECT_EQ(timeout->default_value, OptionValue(std::int64_t{Duration(30s).count()}));
  EXPECT_EQ(timeout->minimum, Duration(1s).count());
  EXPECT_TRUE(timeout->reloadable);
  EXPECT_EQ(manifest.find_option("cache")->default_value, OptionValue(std::int64_t{1 << 20}));
  EXPECT_TRUE(manifest.find_option("token")->required);
  EXPECT_EQ(manifest.find_option("nothing"), nullptr);
  EXPECT_EQ(manifest.sha256, hex(as_text(sha256(whole))));
}

TEST(Manifest, an_error_points_to_the_member) {
  EXPECT_EQ(fault_of("{"), "no JSON at line 1");
  EXPECT_EQ(fault_of("{}"), "/name: is missing");
  EXPECT_EQ(fault_of(replaced("\"tier\": 2", "\"tier\": 3")), "/tier: expected 1 or 2");
  EXPECT_EQ(fault_of(replaced("\"late\"", "\"soon\"")),
            "/requires/0/need: expected one of hard, late, optional, found \"soon\"");
  EXPECT_EQ(fault_of(replaced("room_server/1", "room_server")),
            "/provides/0: expected an interface id such as backplane.room_server/1, found 'backplane.room_server'");
  EXPECT_EQ(fault_of(replaced("\"version\": \"0.1.0\"", "\"version\": \"0.1.0\", \"colour\": 1")).substr(0, 24),
            "/colour: no such member;");
  EXPECT_EQ(fault_of(replaced("\"version\": \"0.1.0\"", "\"version\": \"1\", \"version\": \"2\"")),
            "member 'version' is there twice");
  EXPECT_EQ(fault_of(replaced("GET /_matrix", "FETCH /_matrix")).substr(0, 26), "/routes/0: expected a rout");
  EXPECT_EQ(fault_of(replaced("\"typing\"", "\"room_events\"")), "/publishes/1: 'room_events' is there twice");
}

TEST(Manifest, options_are_checked) {
  EXPECT_EQ(fault_of(with_option(R"({"name": "a", "type": "int", "default": 5, "maximum": 4, "doc": "d"})")),
            "/options/0/default: expected a whole number, at most 4, found '5'");
  EXPECT_EQ(fault_of(with_option(R"({"name": "a", "type": "integer", "default": 5, "doc": "d"})")),
            "/options/0/type: expected one of bool, int, string, enum, duration, bytes, path, url, secret, list, found "
            "\"integer\"");
  EXPECT_EQ(fault_of(with_option(R"({"name": "a", "type": "duration", "default": 5, "doc": "d"})")),
            "/options/0/default: expected a duration such as 250ms, 30s, 5m or 7d, written as a string");
  EXPECT_EQ(fault_of(with_option(R"({"name": "a", "type": "int", "doc": "d"})")),
            "/options/0: option 'a' needs either 'default' or \"required\": true");
  EXPECT_EQ(fault_of(with_option(R"({"name": "enabled", "type": "bool", "default": true, "doc": "d"})")),
            "/options/0/name: every plugin has the option 'enabled': choose another name");
  EXPECT_EQ(fault_of(with_option(R"({"name": "a__b", "type": "bool", "default": true, "doc": "d"})")),
            "/options/0/name: expected a name in snake_case, found 'a__b'");
  EXPECT_EQ(fault_of(with_option(R"({"name": "a", "type": "enum", "default": "x", "doc": "d"})")),
            "/options/0: an option of type enum needs 'choices'");
  EXPECT_EQ(fault_of(with_option(R"({"name": "a", "type": "string", "default": "", "doc": "d"})")), "none");
}

}  // namespace
}  // namespace backplane::plugin
