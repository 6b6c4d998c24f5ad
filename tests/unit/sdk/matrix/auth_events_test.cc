#include <gtest/gtest.h>

#include "test_events.h"

namespace backplane::matrix {
namespace {

using Entries = std::vector<StateEntry>;
const std::string creator = "@creator:a";
const std::string alice = "@alice:a";

// Spec: Server-Server API, "Auth events selection".
TEST(AuthEvents, selection) {
  const TestRoom room(version("11"));
  const auto select = [&](const char* type, std::optional<std::string> key, std::string_view content,
                          const char* v = "11") {
    const EventDraft draft = room.draft(type, std::move(key), alice, content);
    return required_auth_events(AuthSubject::of(draft), version(v));
  };
  const StateEntry create{"m.room.create", ""}, levels{"m.room.power_levels", ""}, rules{"m.room.join_rules", ""};
  const StateEntry sender{"m.room.member", alice}, target{"m.room.member", "@bob:b"};
  EXPECT_EQ(select("m.room.create", "", "{}"), Entries{});
  EXPECT_EQ(select("m.room.message", std::nullopt, "{}"), (Entries{create, levels, sender}));
  EXPECT_EQ(select("m.room.message", std::nullopt, "{}", "12"), (Entries{levels, sender}));
  EXPECT_EQ(select("m.room.member", alice, R"({"membership":"join"})"), (Entries{create, levels, sender, rules}));
  EXPECT_EQ(select("m.room.member", "@bob:b", R"({"membership":"invite"})"),
            (Entries{create, levels, sender, target, rules}));
  EXPECT_EQ(select("m.room.member", alice, R"({"membership":"knock"})"), (Entries{create, levels, sender, rules}));
  EXPECT_EQ(select("m.room.member", "@bob:b", R"({"membership":"ban"})"), (Entries{create, levels, sender, target}));
  EXPECT_EQ(select("m.room.member", alice, R"({"membership":"leave"})"), (Entries{create, levels, sender}));
  EXPECT_EQ(
      select("m.room.member", "@bob:b", R"({"membership":"invite","third_party_invite":{"signed":{"token":"tok"}}})"),
      (Entries{create, levels, sender, target, rules, {"m.room.third_party_invite", "tok"}}));
  constexpr std::string_view restricted = R"({"membership":"join","join_authorised_via_users_server":"@bob:b"})";
  EXPECT_EQ(select("m.room.member", alice, restricted), (Entries{create, levels, sender, rules, target}));
  EXPECT_EQ(select("m.room.member", alice, restricted, "7"), (Entries{create, levels, sender, rules}));
}

class AuthEventRules : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Versions, AuthEventRules, testing::Values("1", "3", "6", "10", "11", "12"));

TEST_P(AuthEventRules, rule_2) {
  const RoomVersion& v = version(GetParam());
  const bool is_12 = v.create_event_is_implied;
  TestRoom room(v);
  room.set_member(creator, "join");
  room.set_member(alice, "join");
  const Event create = room.find("m.room.create", "");
  const Event event = room.build(room.draft("m.room.message", std::nullopt, alice, "{}"));
  const auto check = [&](const std::vector<AuthEvent>& auth_events, const Event& create_event) {
    const auto rejection = check_auth_events(event, auth_events, create_event);
    return rejection ? std::string(rejection->rule) : "";
  };
  std::vector<AuthEvent> good{{room.find("m.room.member", alice)}};
  if (!is_12) good.push_back({create});
  const auto with = [&](AuthEvent more) {
    std::vector<AuthEvent> out = good;
    out.push_back(std::move(more));
    return out;
  };
  EXPECT_EQ(check(good, create), "");
  EXPECT_EQ(check(with({room.find("m.room.member", alice)}), create), is_12 ? "3.1" : "2.1");
  EXPECT_EQ(check(with({room.find("m.room.member", creator)}), create), is_12 ? "3.2" : "2.2");
  EXPECT_EQ(check(with({event}), create), is_12 ? "3.2" : "2.2");
  const Event levels = room.set("m.room.power_levels", "", creator, "{}");
  EXPECT_EQ(check(with({levels}), create), "");
  EXPECT_EQ(check(with({levels, true}), create), is_12 ? "3.3" : "2.3");
  EXPECT_EQ(check({good.front()}, create), is_12 ? "" : "2.4");
  TestRoom other(v, "{}", "@creator:z");
  EXPECT_EQ(check(with({other.set("m.room.power_levels", "", creator, "{}")}), create), is_12 ? "3.5" : "2.5");
  if (is_12) {
    EXPECT_EQ(check(with({create}), create), "3.2");
    EXPECT_EQ(check(good, other.find("m.room.create", "")), "2");
    EXPECT_EQ(check(good, Event()), "2");
  }
}

// Spec: Server-Server API, "Checks performed on receipt of a PDU", 4.
TEST_P(AuthEventRules, make_a_state_to_check_by) {
  TestRoom room(version(GetParam()));
  room.set_member(creator, "join");
  room.set_member(alice, "join");
  const Event message = room.build(room.draft("m.room.message", std::nullopt, alice, "{}"));
  const auto check = [&](std::vector<Event> events) {
    const auto rejection = check_auth_rules(AuthSubject::of(message), room.room_version(), auth_state_of(events));
    return rejection ? rejection->reason : "";
  };
  const Event create = room.find("m.room.create", ""), member = room.find("m.room.member", alice);
  EXPECT_EQ(check({create, member}), "");
  EXPECT_EQ(check({create}), "sender_is_not_joined");
  EXPECT_EQ(check({member}), "no_create_event");
  EXPECT_EQ(check({create, member, room.set("m.room.power_levels", "", creator, R"({"events_default":1})")}),
            "level_is_too_low");
}

// Spec: room version 3, "Handling redactions".
TEST(Redactions, are_carried_out_for_the_powerful_and_on_the_same_server) {
  const TestRoom room(version("11"));
  const RoomCreation creation = RoomCreation::of(room.find("m.room.create", ""));
  const auto levels = PowerLevels::parse(R"({"redact":50,"users":{"@mod:z":50}})", creation);
  const Event target = room.build(room.draft("m.room.message", std::nullopt, "@bob:b", "{}"));
  const auto may = [&](const TestRoom& in, const std::string& sender) {
    return may_apply_redaction(in.build(in.draft("m.room.redaction", std::nullopt, sender, "{}")), target, *levels);
  };
  EXPECT_TRUE(may(room, "@bob:b"));
  EXPECT_TRUE(may(room, "@else:b"));
  EXPECT_TRUE(may(room, "@mod:z"));
  EXPECT_FALSE(may(room, "@else:z"));
  EXPECT_FALSE(may(TestRoom(version("11"), "{}", "@creator:q"), "@bob:b"));
}

TEST(Rejection, is_an_error_of_code_denied) {
  const Error error = to_error({"not_own_join", "4.3.2", "only users themselves may join"});
  EXPECT_EQ(error.code, ErrorCode::denied);
  EXPECT_EQ(error.reason, "forbidden");
  EXPECT_EQ(error.text, "only users themselves may join (authorization rule 4.3.2)");
}

}  // namespace
}  // namespace backplane::matrix
