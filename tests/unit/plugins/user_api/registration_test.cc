#include "user_fixture.h"

namespace backplane::user_api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct RegistrationTest : UserFixture {
  std::string rules() {
    const auto r = *users->get_registration_rules({}, {});
    return std::string(r.open ? "open " : "") + (r.token_required ? "token " : "") + (r.guests ? "guests" : "");
  }
  std::string try_with(std::string token, bool by_operator = false, bool guest = false) {
    auto request = account(guest ? "" : "new", "");
    request.registration_token = std::move(token);
    request.by_operator = by_operator;
    request.guest = guest;
    return outcome(users->register_account({}, request));
  }
};

TEST_F(RegistrationTest, OpenLetsAnyoneIn) {
  start();
  EXPECT_EQ(rules(), "open ");
  const auto made = sign_up("alice", "PHONE");
  ASSERT_EQ(outcome(made), "ok");
  EXPECT_EQ(made->user_id, alice);
  EXPECT_EQ(made->device_id.str(), "PHONE");
  EXPECT_FALSE(made->refresh_token);
  EXPECT_FALSE(made->expires_in_ms);
  EXPECT_EQ(owner(made->access_token), "@alice:test.example/PHONE");
  EXPECT_EQ(commits(), 1U);
  EXPECT_THAT(sessions(), IsEmpty()) << "nobody can have kept a token of a new device";
}

TEST_F(RegistrationTest, ByTokenNeedsOneOfThem) {
  start({{"registration", std::string("token")}, {"registration_tokens", std::vector<std::string>{"one", "two"}}});
  EXPECT_EQ(rules(), "token ");
  EXPECT_EQ(try_with(""), "denied/bad_registration_token");
  EXPECT_EQ(try_with("three"), "denied/bad_registration_token");
  EXPECT_TRUE(users->check_registration_token({}, {"two"})->valid);
  EXPECT_FALSE(users->check_registration_token({}, {"tw"})->valid);
  EXPECT_FALSE(users->check_registration_token({}, {""})->valid);
  EXPECT_EQ(try_with("two"), "ok");
}

TEST_F(RegistrationTest, ClosedIsForOperatorsOnly) {
  start({{"registration", std::string("closed")}});
  EXPECT_EQ(rules(), "");
  EXPECT_EQ(try_with(""), "denied/registration_disabled");
  EXPECT_EQ(try_with("", true), "ok");
}

TEST_F(RegistrationTest, OnlyOperatorsMakeAdministrators) {
  start();
  auto request = account("root");
  request.admin = true;
  EXPECT_FALSE(verify(users->register_account({}, request)->access_token)->admin);
  request.localpart = "root2";
  request.by_operator = true;
  EXPECT_TRUE(verify(users->register_account({}, request)->access_token)->admin);
}

TEST_F(RegistrationTest, GuestsAreNumbersAndOnlyWhereAllowed) {
  start();
  EXPECT_EQ(try_with("", false, true), "denied/guest_access_forbidden");
  restart({{"guests", true}, {"registration", std::string("closed")}});
  EXPECT_EQ(rules(), "guests");
  api::RegisterAccountRequest request;
  request.guest = true;
  request.localpart = "ignored";
  const auto guest = users->register_account({}, request);
  ASSERT_EQ(outcome(guest), "ok");
  EXPECT_THAT(guest->user_id.str(), ::testing::MatchesRegex("@[0-9]+:test.example"));
  EXPECT_TRUE(verify(guest->access_token)->guest);
}

TEST_F(RegistrationTest, NamesFollowTheGrammar) {
  start();
  for (const char* name : {"a", "a.b_c=d-e/f+g", "0x", "x1"}) EXPECT_EQ(outcome(sign_up(name)), "ok") << name;
  for (const char* name : {"a b", "zoë", "a:b", "@a", "a@b", "#a", "a\n"}) {
    EXPECT_EQ(outcome(sign_up(name)), "invalid/invalid_username") << name;
    EXPECT_EQ(outcome(users->check_localpart({}, {name})), "invalid/invalid_username") << name;
  }
  // 255 bytes with sigil, colon and server name.
  const std::string longest(255 - 2 - std::string("test.example").size(), 'x');
  EXPECT_EQ(outcome(sign_up(longest)), "ok");
  EXPECT_EQ(outcome(sign_up(longest + "x")), "invalid/invalid_username");
}

TEST_F(RegistrationTest, DigitsAloneAreForGuestsAndOperators) {
  start();
  EXPECT_EQ(outcome(users->check_localpart({}, {"123"})), "invalid/invalid_username")
      << "told before anybody does a stage for it";
  EXPECT_EQ(outcome(sign_up("123")), "invalid/invalid_username");
  auto request = account("123");
  request.by_operator = true;
  EXPECT_EQ(outcome(users->register_account({}, request)), "ok");
  EXPECT_THAT(sign_up("")->user_id.str(), ::testing::MatchesRegex("@[0-9]+:test.example")) << "a name that was made up";
}

TEST_F(RegistrationTest, ATakenNameStaysTaken) {
  start();
  EXPECT_EQ(outcome(users->check_localpart({}, {"alice"})), "ok");
  ASSERT_EQ(outcome(sign_up("alice")), "ok");
  EXPECT_EQ(outcome(users->check_localpart({}, {"alice"})), "conflict/user_in_use");
  EXPECT_EQ(outcome(sign_up("alice")), "conflict/user_in_use");
  ASSERT_EQ(outcome(users->deactivate({}, {alice})), "ok");
  EXPECT_EQ(outcome(sign_up("alice")), "conflict/user_in_use") << "also after its owner has gone";
}

TEST_F(RegistrationTest, WeakPasswordsAreRefused) {
  start({{"minimum_password_length", std::int64_t{10}}});
  auto request = account("alice");
  request.password = "123456789";
  EXPECT_EQ(outcome(users->register_account({}, request)), "invalid/weak_password");
  request.password = "1234567890";
  EXPECT_EQ(outcome(users->register_account({}, request)), "ok");
  EXPECT_EQ(outcome(users->change_password({}, {alice, "short", false, {}})), "invalid/weak_password");
}

TEST_F(RegistrationTest, WithoutAPasswordNobodyLogsInWithOne) {
  start();
  auto request = account("alice");
  request.password.reset();
  ASSERT_EQ(outcome(users->register_account({}, request)), "ok");
  EXPECT_EQ(outcome(log_in("alice", "")), "denied/bad_credentials");
}

TEST_F(RegistrationTest, InhibitLoginMakesNoDevice) {
  start();
  auto request = account("alice", "PHONE");
  request.inhibit_login = true;
  const auto made = users->register_account({}, request);
  ASSERT_EQ(outcome(made), "ok");
  EXPECT_TRUE(made->access_token.empty());
  EXPECT_TRUE(made->device_id.empty());
  EXPECT_THAT(devices(alice), IsEmpty());
}

TEST_F(RegistrationTest, ARefreshTokenComesWithAnExpiry) {
  start({{"access_token_lifetime", std::int64_t{60'000'000'000}}});  // nanoseconds
  auto request = account("alice");
  request.refresh_token = true;
  const auto made = users->register_account({}, request);
  ASSERT_EQ(outcome(made), "ok");
  EXPECT_TRUE(made->refresh_token);
  EXPECT_EQ(made->expires_in_ms, 60'000);
}

TEST_F(RegistrationTest, AFailedWriteLeavesNothing) {
  start();
  host.fail_writes("user_api", unavailable("storage", "full"));
  EXPECT_EQ(outcome(sign_up("alice")), "unavailable/storage");
  EXPECT_EQ(outcome(sign_up("alice")), "ok");
}

}  // namespace
}  // namespace backplane::user_api
