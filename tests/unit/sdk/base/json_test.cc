#include "backplane/base/json.h"

#include <gtest/gtest.h>

namespace backplane::json {
namespace {

std::string canonical(std::string_view text) {
  const auto document = Document::parse(text);
  return document ? document->root().canonical() : document.error().reason;
}
std::string reason(std::string_view text, const ParseLimits& limits = {}) {
  const auto document = Document::parse(text, limits);
  return document ? "accepted" : document.error().reason;
}

// Spec: appendices, "Canonical JSON", Examples.
TEST(Json, canonical_form_of_the_specifications_examples) {
  EXPECT_EQ(canonical("{}"), "{}");
  EXPECT_EQ(canonical("{\n    \"one\": 1,\n    \"two\": \"Two\"\n}"), R"({"one":1,"two":"Two"})");
  EXPECT_EQ(canonical("{\n    \"b\": \"2\",\n    \"a\": \"1\"\n}"), R"({"a":"1","b":"2"})");
  EXPECT_EQ(canonical(R"({"auth": {"success": true, "mxid": "@john.doe:example.com", "profile": {"display_name":
      "John Doe", "three_pids": [{"medium": "email", "address": "john.doe@example.org"}, {"medium": "msisdn",
      "address": "123456789"}]}}})"),
            R"({"auth":{"mxid":"@john.doe:example.com","profile":{"display_name":"John Doe","three_pids":[{"address":)"
            R"("john.doe@example.org","medium":"email"},{"address":"123456789","medium":"msisdn"}]},"success":true}})");
  EXPECT_EQ(canonical(R"({"a": "日本語"})"), R"({"a":"日本語"})");
  EXPECT_EQ(canonical(R"({"本": 2, "日": 1})"), R"({"日":1,"本":2})");
  EXPECT_EQ(canonical(R"({"a": "\u65E5"})"), R"({"a":"日"})");
  EXPECT_EQ(canonical(R"({"a": null})"), R"({"a":null})");
  EXPECT_EQ(canonical(R"({"a": -0, "b": 1e10})"), R"({"a":0,"b":10000000000})");
}

TEST(Json, canonical_form_escapes_as_little_as_possible) {
  EXPECT_EQ(canonical(R"("\u0008\u0009\u000a\u000c\u000d\u0022\u005c\/\u0001\u001F\u007f")"),
            "\"\\b\\t\\n\\f\\r\\\"\\\\/\\u0001\\u001f\x7f\"");
  EXPECT_EQ(canonical(R"({"\ud83d\ude00":1,"\uffff":2})"), "{\"\xef\xbf\xbf\":2,\"\xf0\x9f\x98\x80\":1}");
}

TEST(Json, what_is_no_json) {
  for (const char* text : {"", " ", "{", "{\"a\":1}x", "{\"a\":01}", "{\"a\":1.}", "{a:1}", "\"\xff\"", "\"\\ud800\"",
                           "\"\\udc00\"", "\"\x01\"", "nul", "[1,]", "{\"a\":-}", "{\"a\":1e}"}) {
    EXPECT_EQ(reason(text), "not_json") << text;
  }
  EXPECT_EQ(reason(std::string("\"a\0b\"", 5)), "not_json");
}

TEST(Json, duplicate_keys_are_refused_in_small_and_in_large_objects) {
  EXPECT_EQ(reason(R"({"a":1,"b":2,"a":3})"), "bad_json");
  EXPECT_EQ(reason(R"({"a":1,"\u0061":3})"), "bad_json");
  EXPECT_EQ(reason(R"([{"x":{"a":1,"a":1}}])"), "bad_json");
  std::string large = "{";
  for (int i = 0; i < 100; ++i) large += "\"k" + std::to_string(i) + "\":1,";
  EXPECT_EQ(reason(large + "\"last\":1}"), "accepted");
  EXPECT_EQ(reason(large + "\"k99\":1}"), "bad_json");
  EXPECT_EQ(reason(large + "\"k1\":1}"), "bad_json");
}

TEST(Json, depth_and_size_are_limited) {
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(reason(nested(90)), "accepted");
  EXPECT_EQ(reason(nested(101)), "bad_json");
  EXPECT_EQ(reason(nested(1000000)), "bad_json");
  ParseLimits limits;
  limits.max_bytes = 4;
  EXPECT_EQ(reason("[1,2]", limits), "too_large");
  EXPECT_EQ(reason("[12]", limits), "accepted");
}

// Found by canonical_json_fuzz: digits alone would be an integer of more bits than there are.
TEST(Json, the_canonical_form_of_a_large_real_parses_again) {
  EXPECT_EQ(canonical("[18446744073709551619.5,-18446744073709551619.5]"),
            "[1.8446744073709552e+19,-1.8446744073709552e+19]");
  EXPECT_EQ(canonical(canonical("[18446744073709551619.5,9223372036854775808.5,9223372036854770000.5,1e300]")),
            canonical("[18446744073709551619.5,9223372036854775808.5,9223372036854770000.5,1e300]"));
}

TEST(Json, strict_numbers_are_integers_that_a_double_holds) {
  ParseLimits strict;
  strict.strict_numbers = true;
  EXPECT_EQ(reason("[9007199254740991,-9007199254740991,0]", strict), "accepted");
  for (const char* text : {"9007199254740992", "-9007199254740992", "1.5", "1.0", "1e3", "18446744073709551615"}) {
    EXPECT_EQ(reason(text, strict), "bad_json") << text;
    EXPECT_EQ(reason(text), "accepted") << text;
  }
  EXPECT_EQ(reason("[123456789012345678901234567890]"), "bad_json");
}

TEST(Json, getters_say_what_is_wrong) {
  const auto document = Document::parse_object(R"({"s":"x","i":5,"b":true,"n":null,"o":{"k":[1,2]},"u":1.5})");
  ASSERT_TRUE(document);
  const View root = document->root();
  EXPECT_EQ(root.get_string("s").value(), "x");
  EXPECT_EQ(root.get_integer("i").value(), 5);
  EXPECT_TRUE(root.get_boolean("b").value());
  EXPECT_EQ(root.get_object("o")->get_array("k")->size(), 2u);
  EXPECT_EQ(root.get_string("i").error().text, "member 'i' is not a string");
  EXPECT_EQ(root.get_string("none").error().text, "member 'none' is missing");
  EXPECT_EQ(root.get_string("none").error().reason, "bad_json");
  EXPECT_FALSE(root.get_optional_string("n")->has_value());
  EXPECT_FALSE(root.get_optional_string("none")->has_value());
  EXPECT_FALSE(root.get_optional_string("i"));
  EXPECT_EQ(root.get_optional_object("o")->value().size(), 1u);
  EXPECT_EQ(root.find("u")->as_real(), 1.5);
  EXPECT_EQ(root.find("u")->as_integer(), std::nullopt);
  EXPECT_EQ(root.members().size(), 6u);
  EXPECT_EQ(root.find("o")->find("k")->elements()[1].as_integer(), 2);
  EXPECT_TRUE(View().is_null());
  EXPECT_EQ(View().canonical(), "null");
  EXPECT_EQ(View().find("x"), std::nullopt);
}

TEST(Json, an_object_is_asked_for) {
  EXPECT_EQ(Document::parse_object("[]").error().reason, "bad_json");
  EXPECT_EQ(Document::parse_object("[").error().reason, "not_json");
}

TEST(Json, the_writer_places_commas) {
  std::string out;
  Writer writer(out);
  writer.begin_object().member("a", 1).member("b", "x\"").key("c").begin_array().integer(-1).null().boolean(true);
  writer.begin_object().end_object().begin_array().end_array().end_array().raw_member("d", "{\"z\":0}");
  writer.member("e", true).key("f").real(0.5).key("g").unsigned_integer(18446744073709551615u).end_object();
  EXPECT_EQ(out, R"({"a":1,"b":"x\"","c":[-1,null,true,{},[]],"d":{"z":0},"e":true,"f":0.5,"g":18446744073709551615})");
}

TEST(Json, quoting_meets_every_byte_at_every_place) {
  for (int c = 0; c < 128; ++c) {
    for (std::size_t place = 0; place < 20; ++place) {
      std::string text(20, 'x');
      text[place] = static_cast<char>(c);
      const std::string json = json::quoted(text);
      const auto document = Document::parse(json);
      ASSERT_TRUE(document) << json;
      EXPECT_EQ(document->root().as_string(), text);
      EXPECT_EQ(document->root().canonical(), json);
    }
  }
}

TEST(Json, find_raw_answers_slices) {
  constexpr std::string_view object = R"({"a":{"b":"}\"]"},"b":[1,{"c":2}],"c":"x\\","d":-5,"e":null, "f" : true })";
  EXPECT_EQ(find_raw(object, "a"), R"({"b":"}\"]"})");
  EXPECT_EQ(find_raw(object, "b"), R"([1,{"c":2}])");
  EXPECT_EQ(find_raw(object, "c"), R"("x\\")");
  EXPECT_EQ(find_raw(object, "d"), "-5");
  EXPECT_EQ(find_raw(object, "e"), "null");
  EXPECT_EQ(find_raw(object, "f"), "true");
  EXPECT_EQ(find_raw(object, "g"), std::nullopt);
  EXPECT_EQ(find_raw("{}", "g"), std::nullopt);
  for (std::size_t cut = 0; cut < object.size(); ++cut) (void)find_raw(object.substr(0, cut), "g");
}

}  // namespace
}  // namespace backplane::json
