// What the event formats of the twelve room versions have in common, and where they part.
#include <gtest/gtest.h>

#include "backplane/matrix/event_hash.h"
#include "backplane/matrix/redaction.h"
#include "test_events.h"

namespace backplane::matrix {
namespace {

class EventFormats : public testing::TestWithParam<const char*> {
 protected:
  const RoomVersion& v = version(GetParam());
  const int number = std::stoi(GetParam());
  const bool pairs = v.event_format == EventFormat::event_id_in_event;

  Event message() const {
    const TestRoom room(v);
    EventDraft draft = room.draft("m.room.message", std::nullopt, "@u:a", R"({"body":"hello"})");
    draft.auth_events = {EventId("$auth:a")};
    draft.depth = 7;
    return room.build(draft);
  }
  /// The reason why the event is refused, with one text replaced; "" when it is taken.
  std::string reason(std::string_view from, std::string_view to) const {
    std::string text(message().json());
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from << " in " << text;
    const auto parsed = Event::parse_untrusted(text.replace(at, from.size(), to), v);
    return parsed ? "" : parsed.error().reason;
  }
};

INSTANTIATE_TEST_SUITE_P(Versions, EventFormats,
                         testing::Values("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"));

TEST_P(EventFormats, what_is_built_is_taken_as_it_is) {
  const TestRoom room(v);
  for (const Event& event : {message(), room.find("m.room.create", "")}) {
    const auto parsed = Event::parse_untrusted(event.json(), v);
    ASSERT_TRUE(parsed) << parsed.error().text;
    EXPECT_EQ(parsed->json(), event.json());  // the content hash matches
    EXPECT_EQ(parsed->event_id(), event.event_id());
    EXPECT_EQ(parsed->room_id(), event.room_id());
    EXPECT_EQ(canonical(event.json()), event.json());
    EXPECT_EQ(json::find_raw(event.json(), "event_id").has_value(), pairs);
    if (!pairs) {
      EXPECT_EQ(event.event_id(), reference_event_id(event.json(), v));
    }
    EXPECT_TRUE(
        verify_event(event, signed_form(event.json(), v), ServerName("a"), "ed25519:1", test_key().public_key()));
  }
}

TEST_P(EventFormats, a_template_is_what_another_server_makes_its_event_of) {
  const TestRoom room(v);
  EventDraft draft = room.draft("m.room.member", "@u:far", "@u:far", R"({"membership":"join"})");
  draft.event_id = {};
  draft.prev_event_hashes.resize(pairs ? draft.prev_events.size() : 0);
  auto text = event_template(draft, v, ServerName("a"));
  ASSERT_TRUE(text) << text.error().text;
  EXPECT_EQ(canonical(*text), *text);
  EXPECT_EQ(json::find_raw(*text, "origin"), R"("a")");
  for (const char* const key : {"event_id", "hashes", "signatures"})
    EXPECT_EQ(json::find_raw(*text, key), std::nullopt);
  if (pairs) text->insert(text->find(R"("origin")"), R"("event_id":"$made:far",)");
  const std::string signed_text = hash_and_sign(*text, v, ServerName("far"), test_key());
  const auto parsed = Event::parse_untrusted(signed_text, v);
  ASSERT_TRUE(parsed) << parsed.error().text;
  EXPECT_EQ(parsed->json(), canonical(signed_text));
  EXPECT_EQ(parsed->room_id(), room.room_id());
  EXPECT_EQ(parsed->prev_events(), draft.prev_events);
  EXPECT_EQ(parsed->state_key(), "@u:far");
  EXPECT_EQ(parsed->depth(), draft.depth);
  EXPECT_EQ(parsed->origin_server_ts(), draft.origin_server_ts);

  draft.state_key = std::string(300, 'x');
  EXPECT_EQ(event_template(draft, v, ServerName("a")).error().reason, "too_large");
}

TEST_P(EventFormats, references) {
  const Event event = message();
  EXPECT_EQ(event.prev_events(), (std::vector{EventId("$before"), EventId("$beside")}));
  EXPECT_EQ(event.auth_events(), (std::vector{EventId("$auth:a")}));
  EXPECT_EQ(AuthSubject::of(event).prev_event_count, 2u);
  EXPECT_EQ(AuthSubject::of(event).first_prev_event, "$before");
  EXPECT_EQ(reason(R"("$before")", "5"), "bad_json");
  EXPECT_EQ(reason(R"("$before")", R"("before")"), "bad_json");
  EXPECT_EQ(reason(R"("$before")", R"({"a":1})"), "bad_json");
  if (pairs) {
    EXPECT_EQ(reason(R"(["$before",)", R"(["$before",1,)"), "bad_json");
    EXPECT_EQ(reason(R"(["$before",)", R"("$before",[)"), "bad_json");
    EXPECT_EQ(reason(R"("event_id":"$)", R"("event_id":")"), "bad_json");
    EXPECT_EQ(reason(R"("event_id")", R"("no")"), "bad_json");
    EXPECT_EQ(reason(R"(:a","hashes")", R"(","hashes")"), "bad_json");  // no server
    EXPECT_EQ(reason(R"("event_id":"$)", R"("event_id":"$)" + std::string(255, 'x')), "too_large");
  } else {
    EXPECT_EQ(reason(R"("$before")", R"(["$before",{"sha256":"x"}])"), "bad_json");
  }
}

TEST_P(EventFormats, numbers_and_depth) {
  EXPECT_EQ(reason(R"("depth":7)", R"("depth":-1)"), "bad_json");
  EXPECT_EQ(reason(R"("depth":7)", R"("depth":7.5)"), "bad_json");
  EXPECT_EQ(reason(R"("depth":7)", R"("depth":9007199254740991)"), "");
  EXPECT_EQ(reason(R"("depth":7)", R"("depth":9007199254740992)"), number >= 6 ? "bad_json" : "");
  EXPECT_EQ(reason(R"("depth":7)", R"("depth":9223372036854775807)"), number >= 6 ? "bad_json" : "");
  EXPECT_EQ(reason(R"("depth":7)", R"("depth":9223372036854775808)"), "bad_json");
  for (const char* number_text : {"1.5", "9007199254740992", "-9007199254740992", "1e10"}) {
    EXPECT_EQ(reason(R"("body")", R"("x":)" + std::string(number_text) + R"(,"body")"), number >= 6 ? "bad_json" : "");
  }
  EXPECT_EQ(reason(R"("body")", R"("x":-9007199254740991,"body")"), "");
}

TEST_P(EventFormats, malformed_texts) {
  EXPECT_EQ(reason(R"("body")", R"("body":1,"body")"), "bad_json");  // a key twice
  EXPECT_EQ(reason(R"("depth":7)", R"("depth":7,"depth":7)"), "bad_json");
  EXPECT_EQ(reason("hello", "\xff"), "not_json");     // no UTF-8
  EXPECT_EQ(reason("hello", "\\ud800"), "not_json");  // half of a surrogate pair
  EXPECT_EQ(reason(R"("hello")", std::string(200, '[') + std::string(200, ']')), "bad_json");
  if (number < 12) {
    EXPECT_EQ(reason(R"("room_id":"!room:a")", R"("room_id":"!room")"), "bad_json");
  }
}

// Spec: Server-Server API, "Validating hashes and signatures on received events".
TEST_P(EventFormats, a_changed_content_is_taken_redacted) {
  const Event event = message();
  std::string text(event.json());
  text.replace(text.find("hello"), 5, "other");
  const auto parsed = Event::parse_untrusted(text, v);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->json(), redact(event).json());
  EXPECT_EQ(parsed->event_id(), event.event_id());
  EXPECT_TRUE(
      verify_event(*parsed, signed_form(parsed->json(), v), ServerName("a"), "ed25519:1", test_key().public_key()));
}

TEST_P(EventFormats, redacting_twice_is_redacting_once) {
  const std::string content = canonical(R"({"membership":"join","users":{"@u:a":100},"invite":5,"creator":"@u:a",
      "aliases":["#a:b"],"allow":[],"join_rule":"public","redacts":"$x","history_visibility":"shared","z":1,
      "join_authorised_via_users_server":"@u:a","third_party_invite":{"display_name":"x","signed":{"token":"t"}}})");
  const TestRoom room(v);
  for (const char* type : {"m.room.member", "m.room.create", "m.room.join_rules", "m.room.power_levels",
                           "m.room.aliases", "m.room.history_visibility", "m.room.redaction", "m.room.message"}) {
    const Event event = room.build(room.draft(type, "", "@u:a", content));
    const Event once = redact(event);
    EXPECT_EQ(redact(once).json(), once.json());
    EXPECT_EQ(signed_form(once.json(), v), signed_form(event.json(), v));
    EXPECT_EQ(reference_hash(once.json(), v), reference_hash(event.json(), v));
  }
}

TEST_P(EventFormats, required_signers) {
  const TestRoom room(v);
  const auto signers = [&](std::string_view content, const char* event_id = "$x:b") {
    EventDraft draft = room.draft("m.room.member", "@u:b", "@u:b", content);
    draft.event_id = EventId(event_id);
    std::string out;
    for (const auto& server : required_signers(room.build(draft))) out += server.str() + " ";
    return out;
  };
  EXPECT_EQ(signers(R"({"membership":"join"})"), "b ");
  EXPECT_EQ(signers(R"({"membership":"join"})", "$x:c"), pairs ? "b c " : "b ");
  EXPECT_EQ(signers(R"({"membership":"invite","third_party_invite":{}})"), pairs ? "b " : "");
  EXPECT_EQ(signers(R"({"membership":"join","join_authorised_via_users_server":"@x:d"})"), number >= 8 ? "b d " : "b ");
}

// Spec: room version 5, "Signing key validity period".
TEST_P(EventFormats, key_validity) {
  constexpr std::int64_t day = 24LL * 60 * 60 * 1000, now = 1'700'000'000'000;
  EXPECT_TRUE(is_key_valid_for(v, now, now, now));
  EXPECT_EQ(is_key_valid_for(v, now, now - 1, now), number < 5);
  EXPECT_TRUE(is_key_valid_for(v, now + 7 * day, now + 100 * day, now));
  EXPECT_EQ(is_key_valid_for(v, now + 7 * day + 1, now + 100 * day, now), number < 5);
}

TEST_P(EventFormats, redactions_are_carried_out) {
  const TestRoom room(v);
  const PowerLevels levels(RoomCreation::of(room.find("m.room.create", "")));
  const Event target = room.build(room.draft("m.room.message", std::nullopt, "@bob:b", "{}"));
  const auto by = [&](const std::string& sender) {
    return room.build(room.draft("m.room.redaction", std::nullopt, sender, "{}"));
  };
  EXPECT_TRUE(may_apply_redaction(by("@other:b"), target, levels));
  EXPECT_TRUE(may_apply_redaction(by("@creator:a"), target, levels));
  EXPECT_EQ(may_apply_redaction(by("@other:c"), target, levels), number <= 2);  // rule 11 has judged it
}

TEST(EventFormat, a_draft_of_room_version_1_needs_an_id_and_hashes) {
  EventDraft draft = TestRoom(version("1")).draft("m.room.message", std::nullopt, "@u:a", "{}");
  EXPECT_EQ(build_event(draft, version("1"), test_key()).error().reason, "bad_draft");
  draft.prev_event_hashes.resize(2);
  EXPECT_TRUE(build_event(draft, version("1"), test_key()));
  draft.event_id = EventId();
  EXPECT_EQ(build_event(draft, version("1"), test_key()).error().reason, "bad_draft");
  draft.event_id = new_event_id(ServerName("a"), system_random());
  EXPECT_TRUE(build_event(draft, version("1"), test_key()));
  EXPECT_EQ(server_of(draft.event_id), ServerName("a"));
  EXPECT_NE(draft.event_id, new_event_id(ServerName("a"), system_random()));
}

// The ids are those of gomatrixserverlib's eventversion_test.go; that the contents are not redacted says that the
// content hash, which another server made, is the one computed here.
TEST(EventFormat, a_real_event_has_its_published_ids_and_content_hash) {
  constexpr std::string_view text =
      R"({"auth_events": [], "prev_events": [], "type": "m.room.create", "room_id": "!uXDCzlYgCTHtiWCkEx:jki.re",)"
      R"("sender": "@erikj:jki.re", "content": {"room_version": "5", "predecessor": {"room_id":)"
      R"("!gdRMqOrTFdOCYHNwOo:half-shot.uk", "event_id": "$LP7ROBc4b+cMc1UE9haIz8q5AK2AIW4eJ90FfKLvyZI"},)"
      R"("creator": "@erikj:jki.re"}, "depth": 1, "prev_state": [], "state_key": "", "origin": "jki.re",)"
      R"("origin_server_ts": 1560284621137, "hashes": {"sha256": "IX6zuNiJpJPNf70BLleL3HSCpjKeq9Uhu7uUpyDjBmc"},)"
      R"("signatures": {"jki.re": {"ed25519:auto": "O4IyFfF2PPtGp5uaDm8t57dZbdh8vc8Q64LgCwvzYRVItAMI0uisfiAFaxkVT7MRpz)"
      R"(h6N2QNN5NMRXZKmgPYDA"}}, "unsigned": {"age": 1321650}})";
  const Event in_3 = Event::parse_untrusted(text, version("3")).value();
  EXPECT_EQ(in_3.event_id().view(), "$RrGxF28UrHLmoASHndYb9Jb/1SFww2ptmtur9INS438");
  const Event in_4 = Event::parse_untrusted(text, version("4")).value();
  EXPECT_EQ(in_4.event_id().view(), "$RrGxF28UrHLmoASHndYb9Jb_1SFww2ptmtur9INS438");
  EXPECT_TRUE(json::find_raw(in_4.content(), "predecessor"));
  EXPECT_EQ(in_4.unsigned_data(), "");
}

}  // namespace
}  // namespace backplane::matrix
