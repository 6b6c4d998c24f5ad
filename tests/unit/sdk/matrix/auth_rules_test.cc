// A test a rule, in every room version that has it, named after its number in room versions 10 and 11.
#include "backplane/matrix/auth_rules.h"

#include <gtest/gtest.h>

#include <sstream>

#include "test_events.h"

namespace backplane::matrix {
namespace {

const std::string creator = "@creator:a";
const std::string alice = "@alice:a";
const std::string bob = "@bob:b";
constexpr std::string_view message = R"({"body":"x"})";

class AuthRules : public testing::TestWithParam<const char*> {
 protected:
  const RoomVersion& v = version(GetParam());
  const int number = std::stoi(GetParam());
  bool is_12() const { return number == 12; }
  /// The number in the version under test of a rule from 3 on of version 10.
  std::string rule(const std::string& in_10) const {
    std::vector<int> parts;
    std::istringstream text(in_10);
    for (std::string part; std::getline(text, part, '.');) parts.push_back(std::stoi(part));
    if (parts.size() > 1) {
      int& second = parts[1];
      if (parts[0] == 4 && number < 8) {  // without 4.2 and, for joins, 4.3.5; without 4.7
        if (second == 3 && parts[2] >= 6) --parts[2];
        if (second == 8 && number < 7) --second;
        if (second >= 3) --second;
      }
      if (parts[0] == 9 && number < 10) second = second <= 3 ? 1 : second - 2;  // one rule about kinds, not three
      if (parts[0] == 9 && number == 12 && second >= 4) ++second;               // 10.4
    }
    if (number <= 5 ? parts[0] >= 4 : is_12()) ++parts[0];  // the rule of m.room.aliases; rule 2 of version 12
    std::string out;
    for (const int part : parts) out += (out.empty() ? "" : ".") + std::to_string(part);
    return out;
  }
  TestRoom room(const std::string& join_rule = "invite", std::string create_content = "{}") const {
    TestRoom out(v, std::move(create_content));
    out.set_member(creator, "join");
    out.set("m.room.join_rules", "", creator, R"({"join_rule":")" + join_rule + "\"}");
    out.set_member(alice, "join");
    return out;
  }
  static void set_levels(TestRoom& in, std::string_view content) {
    in.set("m.room.power_levels", "", creator, content);
  }
};

INSTANTIATE_TEST_SUITE_P(Versions, AuthRules,
                         testing::Values("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"));

// Rules that do not begin in room version 1.
class KnockRules : public AuthRules {};
INSTANTIATE_TEST_SUITE_P(Versions, KnockRules, testing::Values("7", "8", "9", "10", "11", "12"));
class RestrictedRules : public AuthRules {};
INSTANTIATE_TEST_SUITE_P(Versions, RestrictedRules, testing::Values("8", "9", "10", "11", "12"));
class IntegerLevelRules : public AuthRules {};
INSTANTIATE_TEST_SUITE_P(Versions, IntegerLevelRules, testing::Values("10", "11", "12"));
class LaxLevelRules : public AuthRules {};
INSTANTIATE_TEST_SUITE_P(Versions, LaxLevelRules, testing::Values("1", "2", "3", "4", "5", "6", "7", "8", "9"));

TEST_P(AuthRules, rule_1_create) {
  TestRoom in(v);
  const std::string good = v.creator_is_sender ? "{}" : R"({"creator":"@creator:a"})";
  EventDraft draft = in.draft("m.room.create", "", creator, good);
  if (is_12()) draft.room_id = RoomId();
  EXPECT_EQ(in.check(draft), "");
  draft.prev_events = {EventId("$x")};
  EXPECT_EQ(in.check(draft), "1.1");
  draft.prev_events.clear();
  draft.room_id = RoomId("!x:other");
  EXPECT_EQ(in.check(draft), "1.2");
  draft.room_id = is_12() ? RoomId() : in.room_id();
  draft.content = canonical(R"({"creator":"@creator:a","room_version":"nonsense"})");
  EXPECT_EQ(in.check(draft), "1.3");
  draft.content = canonical(R"({"creator":"@creator:a","room_version":12})");
  EXPECT_EQ(in.check(draft), "1.3");
  draft.content = canonical(R"({"creator":"@creator:a","room_version":"11"})");
  EXPECT_EQ(in.check(draft), "");
  draft.content = "{}";
  EXPECT_EQ(in.check(draft), v.creator_is_sender ? "" : "1.4");
}

TEST(AuthRulesOf12, rule_1_4_additional_creators) {
  const TestRoom in(version("12"));
  EventDraft draft = in.draft("m.room.create", "", creator, "{}");
  draft.room_id = RoomId();
  for (const char* bad : {"\"@x:a\"", "[5]", "[\"x\"]", "{}", "[\"@x:a\",\"@y\"]", "null"}) {
    draft.content = R"({"additional_creators":)" + std::string(bad) + "}";
    EXPECT_EQ(in.check(draft), "1.4") << bad;
  }
  draft.content = R"({"additional_creators":["@x:a","@y:b"]})";
  EXPECT_EQ(in.check(draft), "");
  draft.content = R"({"additional_creators":[]})";
  EXPECT_EQ(in.check(draft), "");
}

TEST_P(AuthRules, rule_2_the_event_is_of_the_create_events_room) {
  const TestRoom in = room();
  EventDraft draft = in.draft("m.room.message", std::nullopt, alice, message);
  EXPECT_EQ(in.check(draft), "");
  draft.room_id = RoomId("!other:a");
  EXPECT_EQ(in.check(draft), is_12() ? "2" : "2.5");
  const EventAuthState nothing([](std::string_view, std::string_view) { return Event(); });
  EXPECT_EQ(check_auth_rules(AuthSubject::of(draft), v, nothing)->rule, is_12() ? "2" : "2.4");
}

TEST_P(AuthRules, rule_3_closed_to_other_servers) {
  const std::string content = R"({"creator":"@creator:a","m.federate":false})";
  TestRoom in = room("public", content);
  EXPECT_EQ(in.check_member(bob, bob, "join"), rule("3"));
  EXPECT_EQ(in.check_member("@carol:a", "@carol:a", "join"), "");
}

TEST_P(AuthRules, rule_4_1_and_4_8_malformed_memberships) {
  const TestRoom in = room("public");
  EXPECT_EQ(in.check("m.room.member", std::nullopt, alice, R"({"membership":"join"})"), rule("4.1"));
  EXPECT_EQ(in.check("m.room.member", alice, alice, "{}"), rule("4.1"));
  EXPECT_EQ(in.check("m.room.member", alice, alice, R"({"membership":"dance"})"), rule("4.8"));
  EXPECT_EQ(in.check("m.room.member", alice, alice, R"({"membership":5})"), rule("4.8"));
}

TEST_P(AuthRules, rule_4_3_1_the_creators_first_join) {
  TestRoom in(v);
  EventDraft draft = in.draft("m.room.member", creator, creator, R"({"membership":"join"})");
  draft.prev_events = {in.find("m.room.create", "").event_id()};
  EXPECT_EQ(in.check(draft), "");
  draft.prev_events.push_back(EventId("$x"));
  EXPECT_EQ(in.check(draft), rule("4.3.4"));
  draft = in.draft("m.room.member", alice, alice, R"({"membership":"join"})");
  draft.prev_events = {in.find("m.room.create", "").event_id()};
  EXPECT_EQ(in.check(draft), rule("4.3.4"));
}

TEST_P(AuthRules, rule_4_3_join) {
  TestRoom in = room("public");
  EXPECT_EQ(in.check_member(alice, bob, "join"), rule("4.3.2"));
  in.set_member(bob, "ban");
  EXPECT_EQ(in.check_member(bob, bob, "join"), rule("4.3.3"));
  in.set_member(bob, "leave");
  EXPECT_EQ(in.check_member(bob, bob, "join"), "");  // 4.3.6
  for (const char* join_rule : {"invite", "knock"}) {
    TestRoom closed = room(join_rule);
    if (join_rule == std::string("knock") && number < 7) {
      closed.set_member(bob, "invite");
      EXPECT_EQ(closed.check_member(bob, bob, "join"), rule("4.3.7"));
      continue;
    }
    EXPECT_EQ(closed.check_member(bob, bob, "join"), rule("4.3.4"));
    closed.set_member(bob, "knock");
    EXPECT_EQ(closed.check_member(bob, bob, "join"), rule("4.3.4"));
    closed.set_member(bob, "invite");
    EXPECT_EQ(closed.check_member(bob, bob, "join"), "");
    closed.set_member(bob, "join");
    EXPECT_EQ(closed.check_member(bob, bob, "join"), "");
  }
  TestRoom nobody = room("private");
  nobody.set_member(bob, "invite");
  EXPECT_EQ(nobody.check_member(bob, bob, "join"), rule("4.3.7"));
}

TEST_P(RestrictedRules, rule_4_3_5_restricted_join) {
  for (const char* join_rule : {"restricted", "knock_restricted"}) {
    TestRoom in = room(join_rule);
    if (join_rule == std::string("knock_restricted") && number < 10) {
      in.set_member(bob, "invite");
      EXPECT_EQ(in.check_member(bob, bob, "join"), rule("4.3.7"));
      continue;
    }
    const auto via = [](const std::string& user) { return R"(,"join_authorised_via_users_server":")" + user + "\""; };
    EXPECT_EQ(in.check_member(bob, bob, "join"), rule("4.3.5.2"));
    EXPECT_EQ(in.check_member(bob, bob, "join", via(alice)), "");
    EXPECT_EQ(in.check_member(bob, bob, "join", via("@carol:a")), rule("4.3.5.2"));  // not joined
    set_levels(in, R"({"invite":10,"users":{"@alice:a":9}})");
    EXPECT_EQ(in.check_member(bob, bob, "join", via(alice)), rule("4.3.5.2"));
    set_levels(in, R"({"invite":10,"users":{"@alice:a":10}})");
    EXPECT_EQ(in.check_member(bob, bob, "join", via(alice)), "");
    in.set_member(bob, "invite");
    EXPECT_EQ(in.check_member(bob, bob, "join"), "");
    in.set_member(bob, "join");
    EXPECT_EQ(in.check_member(bob, bob, "join"), "");
  }
}

TEST_P(AuthRules, rule_4_4_invite) {
  TestRoom in = room();
  EXPECT_EQ(in.check_member(bob, "@carol:a", "invite"), rule("4.4.2"));
  EXPECT_EQ(in.check_member(alice, creator, "invite"), rule("4.4.3"));
  in.set_member(bob, "ban");
  EXPECT_EQ(in.check_member(alice, bob, "invite"), rule("4.4.3"));
  in.set_member(bob, "knock");
  EXPECT_EQ(in.check_member(alice, bob, "invite"), "");
  set_levels(in, R"({"invite":1})");
  EXPECT_EQ(in.check_member(alice, bob, "invite"), rule("4.4.5"));
  set_levels(in, R"({"invite":1,"users_default":1})");
  EXPECT_EQ(in.check_member(alice, bob, "invite"), "");
}

TEST_P(AuthRules, rule_4_4_1_third_party_invite) {
  TestRoom in = room();
  const SigningKey identity_server = SigningKey::generate("0", system_random()).value();
  const SigningKey stranger = SigningKey::generate("0", system_random()).value();
  const auto invite = [&](const std::string& signed_part) {
    return in.check_member(alice, bob, "invite",
                           R"(,"third_party_invite":{"display_name":"b","signed":)" + signed_part + "}");
  };
  const auto signed_by = [](const SigningKey& key, const std::string& mxid, const std::string& token) {
    const auto document = json::Document::parse(R"({"mxid":")" + mxid + R"(","token":")" + token + "\"}");
    return sign_json(document->root(), "id.server", key);
  };
  const std::string good = signed_by(identity_server, bob, "tok");
  EXPECT_EQ(in.check_member(alice, bob, "invite", R"(,"third_party_invite":{})"), rule("4.4.1.2"));
  EXPECT_EQ(invite(R"({"mxid":"@bob:b"})"), rule("4.4.1.3"));
  EXPECT_EQ(invite(R"({"token":"tok"})"), rule("4.4.1.3"));
  EXPECT_EQ(invite(signed_by(identity_server, "@carol:b", "tok")), rule("4.4.1.4"));
  EXPECT_EQ(invite(good), rule("4.4.1.5"));
  in.set("m.room.third_party_invite", "tok", creator, R"({"public_key":")" + identity_server.public_key() + "\"}");
  EXPECT_EQ(invite(good), rule("4.4.1.6"));
  in.set("m.room.third_party_invite", "tok", alice, R"({"public_key":")" + identity_server.public_key() + "\"}");
  EXPECT_EQ(invite(good), "");
  EXPECT_EQ(invite(signed_by(stranger, bob, "tok")), rule("4.4.1.8"));
  EXPECT_EQ(invite(R"({"mxid":"@bob:b","token":"tok"})"), rule("4.4.1.8"));
  in.set("m.room.third_party_invite", "tok", alice,
         R"({"public_key":")" + stranger.public_key() + R"(","public_keys":[{"public_key":")" +
             identity_server.public_key() + "\"}]}");
  EXPECT_EQ(invite(good), "");
  in.set_member(bob, "ban");
  EXPECT_EQ(invite(good), rule("4.4.1.1"));
}

TEST_P(AuthRules, rule_4_5_leave) {
  TestRoom in = room();
  EXPECT_EQ(in.check_member(alice, alice, "leave"), "");
  EXPECT_EQ(in.check_member(bob, bob, "leave"), rule("4.5.1"));
  in.set_member(bob, "invite");
  EXPECT_EQ(in.check_member(bob, bob, "leave"), "");
  in.set_member(bob, "knock");
  EXPECT_EQ(in.check_member(bob, bob, "leave"), number < 7 ? rule("4.5.1") : "");
  in.set_member(bob, "ban");
  EXPECT_EQ(in.check_member(bob, bob, "leave"), rule("4.5.1"));
  EXPECT_EQ(in.check_member("@carol:a", bob, "leave"), rule("4.5.2"));
  set_levels(in, R"({"ban":60,"kick":50,"users":{"@alice:a":50}})");
  EXPECT_EQ(in.check_member(alice, bob, "leave"), rule("4.5.3"));
  set_levels(in, R"({"ban":60,"kick":50,"users":{"@alice:a":60}})");
  EXPECT_EQ(in.check_member(alice, bob, "leave"), "");
  in.set_member(bob, "join");
  set_levels(in, R"({"kick":50,"users":{"@alice:a":49}})");
  EXPECT_EQ(in.check_member(alice, bob, "leave"), rule("4.5.5"));
  set_levels(in, R"({"kick":50,"users":{"@alice:a":50,"@bob:b":50}})");
  EXPECT_EQ(in.check_member(alice, bob, "leave"), rule("4.5.5"));
  set_levels(in, R"({"kick":50,"users":{"@alice:a":50,"@bob:b":49}})");
  EXPECT_EQ(in.check_member(alice, bob, "leave"), "");
}

TEST_P(AuthRules, rule_4_6_ban) {
  TestRoom in = room();
  EXPECT_EQ(in.check_member("@carol:a", bob, "ban"), rule("4.6.1"));
  set_levels(in, R"({"users":{"@alice:a":49}})");
  EXPECT_EQ(in.check_member(alice, bob, "ban"), rule("4.6.3"));
  set_levels(in, R"({"users":{"@alice:a":50,"@bob:b":50}})");
  EXPECT_EQ(in.check_member(alice, bob, "ban"), rule("4.6.3"));
  set_levels(in, R"({"users":{"@alice:a":50}})");
  EXPECT_EQ(in.check_member(alice, bob, "ban"), "");
}

TEST_P(AuthRules, rule_4_7_until_room_version_6_nobody_knocks) {
  if (number >= 7) return;
  EXPECT_EQ(room("knock").check_member(bob, bob, "knock"), rule("4.8"));
}

TEST_P(KnockRules, rule_4_7_knock) {
  EXPECT_EQ(room("public").check_member(bob, bob, "knock"), rule("4.7.1"));
  EXPECT_EQ(room("restricted").check_member(bob, bob, "knock"), rule("4.7.1"));
  for (const char* join_rule : {"knock", "knock_restricted"}) {
    TestRoom in = room(join_rule);
    if (join_rule == std::string("knock_restricted") && number < 10) {
      EXPECT_EQ(in.check_member(bob, bob, "knock"), rule("4.7.1"));
      continue;
    }
    EXPECT_EQ(in.check_member(alice, bob, "knock"), rule("4.7.2"));
    EXPECT_EQ(in.check_member(bob, bob, "knock"), "");
    in.set_member(bob, "knock");
    EXPECT_EQ(in.check_member(bob, bob, "knock"), "");
    for (const char* membership : {"ban", "invite", "join"}) {
      in.set_member(bob, membership);
      EXPECT_EQ(in.check_member(bob, bob, "knock"), rule("4.7.4"));
    }
  }
}

TEST_P(AuthRules, rules_5_to_8) {
  TestRoom in = room();
  EXPECT_EQ(in.check("m.room.message", std::nullopt, bob, message), rule("5"));
  in.set_member(bob, "invite");
  EXPECT_EQ(in.check("m.room.message", std::nullopt, bob, message), rule("5"));
  EXPECT_EQ(in.check("m.room.third_party_invite", "t", alice, "{}"), "");
  set_levels(in, R"({"invite":5,"events":{"m.room.message":3},"users":{"@alice:a":2},"state_default":2})");
  EXPECT_EQ(in.check("m.room.third_party_invite", "t", alice, "{}"), rule("6.1"));
  EXPECT_EQ(in.check("m.room.message", std::nullopt, alice, message), rule("7"));
  EXPECT_EQ(in.check("m.room.name", "", alice, "{}"), "");
  EXPECT_EQ(in.check("org.example", "@alice:a", alice, "{}"), "");
  EXPECT_EQ(in.check("org.example", "@bob:b", alice, "{}"), rule("8"));
  EXPECT_EQ(in.check("m.room.redaction", std::nullopt, alice, "{}"), number <= 2 ? "11.3" : "");
}

TEST_P(AuthRules, aliases_have_rule_4_of_room_versions_1_to_5) {
  TestRoom in = room();
  set_levels(in, R"({"users":{"@alice:a":50}})");
  EXPECT_EQ(in.check("m.room.aliases", "a", alice, "{}"), "");
  EXPECT_EQ(in.check("m.room.aliases", "b", alice, "{}"), number <= 5 ? "4.2" : "");
  EXPECT_EQ(in.check("m.room.aliases", std::nullopt, alice, "{}"), number <= 5 ? "4.1" : "");
  // Rule 4 of old versions asks for no membership.
  EXPECT_EQ(in.check("m.room.aliases", "b", bob, "{}"), number <= 5 ? "" : rule("5"));
}

TEST_P(AuthRules, redactions_have_rule_11_of_room_versions_1_and_2) {
  TestRoom in = room();
  in.set_member(bob, "join");
  const auto check = [&](const std::string& sender, const std::string& target) {
    EventDraft draft = in.draft("m.room.redaction", std::nullopt, sender, "{}");
    draft.redacts = EventId(target);
    const std::string of_draft = in.check(draft);
    const Event event = in.build(draft);
    const auto rejection = check_auth_rules(AuthSubject::of(event), v, in.state());
    EXPECT_EQ(rejection ? rejection->rule : "", of_draft);
    return of_draft;
  };
  EXPECT_EQ(check(creator, "$x:b"), "");  // 11.1
  EXPECT_EQ(check(bob, "$x:b"), "");      // 11.2
  EXPECT_EQ(check(bob, "$x:a"), number <= 2 ? "11.3" : "");
  EXPECT_EQ(check(bob, "$x"), number <= 2 ? "11.3" : "");
}

TEST_P(LaxLevelRules, rule_9_malformed_power_levels) {
  const TestRoom in = room();
  const auto check = [&](std::string_view content) { return in.check("m.room.power_levels", "", creator, content); };
  EXPECT_EQ(check(R"({"ban":"50","users":{"@x:a":" +0100 "},"events":{"x":"-1"},"notifications":{"room":"0"}})"), "");
  for (const char* bad :
       {R"({"users":[]})", R"({"users":{"x":1}})", R"({"users":{"@x:a":"1.5"}})", R"({"users":{"@x:a":""}})",
        R"({"users":{"@x:a":"- 1"}})", R"({"users":{"@x:a":null}})", R"({"ban":"x"})", R"({"ban":true})",
        R"({"events":[]})", R"({"events":{"x":{}}})", R"({"notifications":{"room":[]}})"}) {
    EXPECT_EQ(check(bad), rule("9.1")) << bad;
  }
  EXPECT_EQ(check(R"({"ban":50.7,"users":{"@x:a":5.114698E4}})"), number <= 5 ? "" : rule("9.1"));
}

TEST_P(IntegerLevelRules, rule_9_malformed_power_levels) {
  const TestRoom in = room();
  const auto check = [&](std::string_view content) { return in.check("m.room.power_levels", "", creator, content); };
  for (const char* name : {"users_default", "events_default", "state_default", "ban", "redact", "kick", "invite"}) {
    EXPECT_EQ(check("{\"" + std::string(name) + "\":\"5\"}"), rule("9.1"));
    EXPECT_EQ(check("{\"" + std::string(name) + "\":null}"), rule("9.1"));
  }
  EXPECT_EQ(check(R"({"events":[]})"), rule("9.2"));
  EXPECT_EQ(check(R"({"events":{"x":"1"}})"), rule("9.2"));
  EXPECT_EQ(check(R"({"notifications":{"room":"1"}})"), rule("9.2"));
  EXPECT_EQ(check(R"({"users":[]})"), rule("9.3"));
  EXPECT_EQ(check(R"({"users":{"x":1}})"), rule("9.3"));
  EXPECT_EQ(check(R"({"users":{"@x:a":"1"}})"), rule("9.3"));
  EXPECT_EQ(check(R"({"users":{"@x:a":1000},"ban":1000})"), "");  // 9.4
}

TEST_P(AuthRules, rule_9_changes_of_power_levels) {
  TestRoom in = room();
  set_levels(in, R"({"ban":60,"kick":50,"events":{"a":60,"b":50,"m.room.power_levels":50},"notifications":{"room":60},
      "users":{"@alice:a":50,"@bob:b":50,"@carol:a":40}})");
  // The event as it is, with one text replaced.
  const auto check = [&](std::string_view from, std::string_view to) {
    std::string content(in.find("m.room.power_levels", "").content());
    const auto at = content.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return in.check("m.room.power_levels", "", alice, content.replace(at, from.size(), to));
  };
  EXPECT_EQ(check("\"ban\":60", "\"ban\":60"), "");
  EXPECT_EQ(check("\"ban\":60", "\"ban\":50"), rule("9.5.1"));
  EXPECT_EQ(check("\"ban\":60,", ""), rule("9.5.1"));
  EXPECT_EQ(check("\"kick\":50", "\"kick\":51"), rule("9.5.2"));
  EXPECT_EQ(check("\"kick\":50", "\"kick\":50,\"redact\":51"), rule("9.5.2"));
  EXPECT_EQ(check("\"kick\":50", "\"kick\":0,\"redact\":50"), "");
  EXPECT_EQ(check("\"a\":60", "\"a\":1"), rule("9.6.1"));
  EXPECT_EQ(check("\"a\":60,", ""), rule("9.6.1"));
  EXPECT_EQ(check("\"room\":60", ""), number < 6 ? "" : rule("9.6.1"));
  EXPECT_EQ(check("\"b\":50", "\"b\":51"), rule("9.7.1"));
  EXPECT_EQ(check("\"b\":50", "\"b\":50,\"c\":51"), rule("9.7.1"));
  EXPECT_EQ(check("\"b\":50", "\"c\":50"), "");
  EXPECT_EQ(check("\"room\":60", "\"room\":60,\"x\":51"), number < 6 ? "" : rule("9.7.1"));
  EXPECT_EQ(check("\"@bob:b\":50", "\"@bob:b\":49"), rule("9.8.1"));
  EXPECT_EQ(check("\"@bob:b\":50,", ""), rule("9.8.1"));
  EXPECT_EQ(check("\"@alice:a\":50", "\"@alice:a\":49"), "");  // the sender's own entry
  EXPECT_EQ(check("\"@alice:a\":50,", ""), "");
  EXPECT_EQ(check("\"@carol:a\":40", "\"@carol:a\":50"), "");
  EXPECT_EQ(check("\"@carol:a\":40", "\"@carol:a\":51"), rule("9.9.1"));
  EXPECT_EQ(check("\"@alice:a\":50", "\"@alice:a\":51"), rule("9.9.1"));
  EXPECT_EQ(check("\"@carol:a\":40", "\"@dave:a\":51"), rule("9.9.1"));
}

TEST(AuthRulesOf12, rule_10_4_users_may_not_name_creators) {
  TestRoom in(version("12"), R"({"additional_creators":["@second:b"]})");
  in.set_member(creator, "join");
  const auto check = [&](std::string_view content) { return in.check("m.room.power_levels", "", creator, content); };
  EXPECT_EQ(check(R"({"users":{"@creator:a":100}})"), "10.4");
  EXPECT_EQ(check(R"({"users":{"@second:b":100}})"), "10.4");
  EXPECT_EQ(check(R"({"users":{"@third:b":100}})"), "");
}

TEST(AuthRulesOf12, creators_outrank_everyone) {
  TestRoom in(version("12"), R"({"additional_creators":["@second:b"]})");
  in.set_member(creator, "join");
  in.set_member("@second:b", "join");
  in.set_member(alice, "join");
  in.set("m.room.power_levels", "", creator, R"({"ban":9007199254740991,"users":{"@alice:a":9007199254740991}})");
  EXPECT_EQ(in.check_member("@second:b", alice, "ban"), "");
  EXPECT_EQ(in.check_member(alice, "@second:b", "ban"), "5.6.3");
  EXPECT_EQ(in.check_member(creator, "@second:b", "ban"), "5.6.3");
  EXPECT_EQ(in.check("m.room.power_levels", "", "@second:b", "{}"), "");
}

}  // namespace
}  // namespace backplane::matrix
