#include "backplane/matrix/event.h"

#include <gtest/gtest.h>

#include "backplane/matrix/event_hash.h"
#include "backplane/matrix/redaction.h"
#include "test_events.h"

namespace backplane::matrix {
namespace {

EventDraft message() {
  EventDraft draft;
  draft.room_id = RoomId("!r:a");
  draft.sender = UserId("@u:a");
  draft.type = "m.room.message";
  draft.content = R"({"body":"hello \"you\"","msgtype":"m.text"})";
  draft.prev_events = {EventId("$p1"), EventId("$p2")};
  draft.auth_events = {EventId("$a1")};
  draft.depth = 7;
  draft.origin_server_ts = 1632489532305;
  return draft;
}
std::string reason(const Result<Event>& result) { return result ? "" : result.error().reason; }
std::string parse_reason(std::string text, std::string_view from, std::string_view to, std::string_view v = "11") {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return reason(Event::parse_untrusted(text.replace(at, from.size(), to), version(v)));
}

// The same as the general way makes, which signing_test.cc checks with the vectors of the specification.
TEST(Event, the_builder_makes_what_hashing_and_signing_makes) {
  for (const char* v : {"10", "11", "12"}) {
    for (const char* type : {"m.room.message", "m.room.member", "m.room.power_levels", "m.room.create"}) {
      EventDraft draft = message();
      draft.type = type;
      draft.state_key = "@x\"y:a";
      draft.content = canonical(R"({"membership":"join","users":{"@u:a":100},"invite":5,"creator":"@u:a","z":1,
          "third_party_invite":{"display_name":"x","signed":{"token":"t"}}})");
      const Event event = build_event(draft, version(v), test_key()).value();
      const auto document = json::Document::parse_object(event.json());
      ASSERT_TRUE(document) << event.json();
      EXPECT_EQ(document->root().canonical(), event.json());
      EXPECT_EQ(event.event_id(), reference_event_id(event.json(), version(v)));
      EXPECT_EQ(document->root().find("hashes")->find_string("sha256"), base64(as_text(content_hash(event.json()))));
      EXPECT_TRUE(verify_event(event, signed_form(event.json(), version(v)), ServerName("a"), "ed25519:1",
                               test_key().public_key()));
      EXPECT_FALSE(verify_event(event, signed_form(event.json(), version(v)), ServerName("b"), "ed25519:1",
                                test_key().public_key()));
    }
  }
}

TEST(Event, has_its_parts_at_hand) {
  EventDraft draft = message();
  draft.state_key = "k\n";
  const Event event = build_event(draft, version("11"), test_key()).value();
  EXPECT_EQ(event.room_id().view(), "!r:a");
  EXPECT_EQ(event.sender().view(), "@u:a");
  EXPECT_EQ(event.type(), "m.room.message");
  EXPECT_EQ(event.state_key(), "k\n");
  EXPECT_TRUE(event.is_state("m.room.message", "k\n"));
  EXPECT_EQ(event.depth(), 7);
  EXPECT_EQ(event.origin_server_ts(), 1632489532305);
  EXPECT_EQ(event.content(), draft.content);
  EXPECT_EQ(event.prev_events(), draft.prev_events);
  EXPECT_EQ(event.auth_events(), draft.auth_events);
  EXPECT_EQ(event.unsigned_data(), "");
  EXPECT_EQ(event.redacts(), std::nullopt);
  EXPECT_EQ(signatures_of(event).size(), 1u);
  EXPECT_TRUE(event.event_id().view().starts_with('$'));
  EXPECT_EQ(event.event_id().view().size(), 44u);
  EXPECT_FALSE(Event());
  EXPECT_TRUE(event == Event::from_stored(std::string(event.json()), event.event_id(), version("11")));
}

TEST(Event, in_version_12_the_room_id_is_the_create_events_hash) {
  const TestRoom room(version("12"));
  const Event create = room.find("m.room.create", "");
  EXPECT_EQ(create.room_id(), room_id_of_create_event(create.event_id()));
  EXPECT_EQ(json::find_raw(create.json(), "room_id"), std::nullopt);
  EXPECT_FALSE(create.carries_room_id());
  const auto parsed = Event::parse_untrusted(create.json(), version("12"));
  ASSERT_TRUE(parsed) << parsed.error().text;
  EXPECT_EQ(parsed->room_id(), create.room_id());
  const std::string json(create.json());
  EXPECT_EQ(parse_reason(json, "\"sender\"", "\"room_id\":\"!x:a\",\"sender\"", "12"), "bad_json");
}

TEST(Event, redactions_name_their_target_where_the_version_wants_it) {
  EventDraft draft = message();
  draft.type = "m.room.redaction";
  draft.redacts = EventId("$target");
  draft.content = R"({"a":1,"reason":"spam","zz":2})";
  const Event old_way = build_event(draft, version("10"), test_key()).value();
  EXPECT_EQ(json::find_raw(old_way.json(), "redacts"), "\"$target\"");
  EXPECT_EQ(old_way.content(), draft.content);
  EXPECT_EQ(old_way.redacts(), EventId("$target"));
  const Event new_way = build_event(draft, version("11"), test_key()).value();
  EXPECT_EQ(json::find_raw(new_way.json(), "redacts"), std::nullopt);
  EXPECT_EQ(new_way.content(), R"({"a":1,"reason":"spam","redacts":"$target","zz":2})");
  EXPECT_EQ(new_way.redacts(), EventId("$target"));
  for (const Event& event : {old_way, new_way}) {
    EXPECT_EQ(event.event_id(), reference_event_id(event.json(), event.room_version()));
    EXPECT_EQ(Event::parse_untrusted(event.json(), event.room_version())->json(), event.json());
  }
}

TEST(Event, what_another_server_sent_is_made_canonical) {
  const Event event = build_event(message(), version("11"), test_key()).value();
  std::string text(event.json());
  text.insert(1, " \"unsigned\" : { \"age\": 5 } ,\n");
  text.replace(text.find("hello"), 5, "\\u0068ello");
  const auto parsed = Event::parse_untrusted(text, version("11"));
  ASSERT_TRUE(parsed) << parsed.error().text;
  EXPECT_EQ(parsed->json(), event.json());
  EXPECT_EQ(parsed->event_id(), event.event_id());
}

TEST(Event, is_redacted_when_its_content_hash_does_not_match) {
  const Event event = build_event(message(), version("11"), test_key()).value();
  std::string text(event.json());
  text.replace(text.find("hello"), 5, "other");
  const auto parsed = Event::parse_untrusted(text, version("11"));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->content(), "{}");
  EXPECT_EQ(parsed->event_id(), event.event_id());
  EXPECT_EQ(parsed->json(), redact(event).json());
}

TEST(Event, of_another_format_is_refused) {
  const std::string good(build_event(message(), version("11"), test_key())->json());
  EXPECT_EQ(reason(Event::parse_untrusted(good, version("11"))), "");
  EXPECT_EQ(reason(Event::parse_untrusted("[]", version("11"))), "bad_json");
  EXPECT_EQ(reason(Event::parse_untrusted("{", version("11"))), "not_json");
  const std::pair<const char*, const char*> changes[] = {{"\"auth_events\":[\"$a1\"]", "\"auth_events\":\"$a1\""},
                                                         {"\"$a1\"", "1"},
                                                         {"\"$a1\"", "\"a1\""},
                                                         {"\"auth_events\"", "\"no\""},
                                                         {"\"content\":{", "\"content\":1,\"x\":{"},
                                                         {"\"depth\":7", "\"depth\":-1"},
                                                         {"\"depth\":7", "\"depth\":\"7\""},
                                                         {"\"depth\":7", "\"depth\":9007199254740992"},
                                                         {"\"depth\":7", "\"depth\":7.0"},
                                                         {"\"hashes\":{\"sha256\"", "\"hashes\":{\"md5\""},
                                                         {"\"hashes\"", "\"no\""},
                                                         {"\"origin_server_ts\"", "\"no\""},
                                                         {"\"prev_events\"", "\"no\""},
                                                         {"\"room_id\":\"!r:a\"", "\"room_id\":\"r\""},
                                                         {"\"room_id\"", "\"no\""},
                                                         {"\"sender\":\"@u:a\"", "\"sender\":\"u\""},
                                                         {"\"sender\"", "\"no\""},
                                                         {"\"signatures\":{", "\"signatures\":[],\"x\":{"},
                                                         {"\"type\"", "\"state_key\":5,\"type\""},
                                                         {"\"type\":\"m.room.message\"", "\"type\":1"},
                                                         {"\"body\"", "\"depth\":1.5,\"body\""}};
  for (const auto& [from, to] : changes) EXPECT_EQ(parse_reason(good, from, to), "bad_json") << from << " " << to;
}

// Spec: Client-Server API, "Size limits".
TEST(Event, sizes_are_limited) {
  const std::string good(build_event(message(), version("11"), test_key())->json());
  const std::string long_text(256, 'x');
  EXPECT_EQ(parse_reason(good, "m.room.message", long_text), "too_large");
  EXPECT_EQ(parse_reason(good, "m.room.message", long_text.substr(1)), "");
  EXPECT_EQ(parse_reason(good, "\"type\"", "\"state_key\":\"" + long_text + "\",\"type\""), "too_large");
  EXPECT_EQ(parse_reason(good, "@u:a", "@" + long_text + ":a"), "too_large");
  EXPECT_EQ(parse_reason(good, "!r:a", "!" + long_text + ":a"), "too_large");
  EXPECT_EQ(parse_reason(good, "hello", std::string(65536 - good.size() + 5, 'x')), "");
  EXPECT_EQ(parse_reason(good, "hello", std::string(65536 - good.size() + 6, 'x')), "too_large");
  std::string ids;
  for (int i = 0; i < 11; ++i) ids += "\"$a" + std::to_string(i) + "\",";
  EXPECT_EQ(parse_reason(good, "[\"$a1\"]", "[" + ids + "\"$z\"]"), "bad_json");
  EXPECT_EQ(parse_reason(good, "\"$p1\"", ids + ids.substr(0, 42) + "\"$z\""), "");

  EventDraft draft = message();
  draft.content = "{\"body\":\"" + std::string(65536, 'x') + "\"}";
  EXPECT_EQ(reason(build_event(draft, version("11"), test_key())), "too_large");
  draft = message();
  draft.type = long_text;
  EXPECT_EQ(reason(build_event(draft, version("11"), test_key())), "too_large");
  draft = message();
  draft.state_key = long_text;
  EXPECT_EQ(reason(build_event(draft, version("11"), test_key())), "too_large");
}

TEST(Event, contents_of_clients_are_made_canonical_and_checked) {
  const auto content = [](std::string_view text, const char* v) {
    const auto document = json::Document::parse(text);
    const auto result = canonical_content(document->root(), version(v));
    return result ? *result : result.error().reason;
  };
  EXPECT_EQ(content(R"({"b":1, "a":[true]})", "11"), R"({"a":[true],"b":1})");
  EXPECT_EQ(content(R"({"a":1.5})", "11"), "bad_json");
  EXPECT_EQ(content(R"({"a":[{"b":9007199254740992}]})", "11"), "bad_json");
  EXPECT_EQ(content(R"({"a":1.5})", "5"), R"({"a":1.5})");
  EXPECT_EQ(content("[]", "11"), "bad_json");
}

TEST(Event, may_be_signed_by_a_second_server) {
  const Event event = build_event(message(), version("11"), test_key()).value();
  const auto other = SigningKey::generate("x", system_random());
  const Event both = add_signature(event, ServerName("A.example"), *other);
  EXPECT_EQ(both.event_id(), event.event_id());
  const std::string form = signed_form(both.json(), version("11"));
  EXPECT_TRUE(verify_event(both, form, ServerName("a"), "ed25519:1", test_key().public_key()));
  EXPECT_TRUE(verify_event(both, form, ServerName("A.example"), "ed25519:x", other->public_key()));
  EXPECT_EQ(canonical(both.json()), both.json());
  EXPECT_EQ(Event::parse_untrusted(both.json(), version("11"))->json(), both.json());
}

TEST(Event, names_its_required_signers) {
  const TestRoom room(version("11"));
  const auto signers = [&](std::string_view content) {
    std::string out;
    for (const auto& server : required_signers(room.build(room.draft("m.room.member", "@u:b", "@u:b", content)))) {
      out += server.str() + " ";
    }
    return out;
  };
  EXPECT_EQ(signers(R"({"membership":"join"})"), "b ");
  EXPECT_EQ(signers(R"({"membership":"join","join_authorised_via_users_server":"@x:c"})"), "b c ");
  EXPECT_EQ(signers(R"({"membership":"join","join_authorised_via_users_server":"@x:b"})"), "b ");
  EXPECT_EQ(signers(R"({"membership":"invite","third_party_invite":{}})"), "");
}

}  // namespace
}  // namespace backplane::matrix
