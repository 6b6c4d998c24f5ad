#include "user_fixture.h"

namespace backplane::user_api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct PasswordsTest : UserFixture {
  void begin(Options options = {}) {
    start(std::move(options));
    first = *sign_up("alice", "FIRST");
    second = *log_in("alice", "correct horse", "SECOND");
  }
  std::string check(std::string password, std::string address = "") {
    return outcome(users->verify_password({}, {alice, std::move(password), std::move(address)}));
  }
  api::LogInResponse first, second;
};

TEST_F(PasswordsTest, AreVerified) {
  begin();
  EXPECT_EQ(check("correct horse"), "ok");
  EXPECT_EQ(check("Correct horse"), "denied/bad_credentials");
  EXPECT_EQ(check(""), "denied/bad_credentials");
  EXPECT_EQ(outcome(users->verify_password({}, {UserId("@a:other.example"), "x", ""})), "not_found/");
}

TEST_F(PasswordsTest, ChangingKeepsTheDeviceThatAsks) {
  begin();
  const auto before = commits();
  ASSERT_EQ(outcome(users->change_password({}, {alice, "battery staple", true, DeviceId("SECOND")})), "ok");
  EXPECT_EQ(commits(), before + 1);
  EXPECT_EQ(owner(second.access_token), "@alice:test.example/SECOND");
  EXPECT_EQ(owner(first.access_token), "denied/unknown_token");
  EXPECT_THAT(sessions(), ElementsAre("@alice:test.example FIRST"));
  EXPECT_EQ(check("battery staple"), "ok");
  EXPECT_EQ(check("correct horse"), "denied/bad_credentials");
}

TEST_F(PasswordsTest, ChangingMayLeaveEveryDevice) {
  begin();
  ASSERT_EQ(outcome(users->change_password({}, {alice, "battery staple", false, {}})), "ok");
  EXPECT_THAT(devices(alice), ElementsAre("FIRST", "SECOND"));
  EXPECT_THAT(sessions(), IsEmpty());
}

TEST_F(PasswordsTest, ChangingWithoutADeviceToKeepEndsAll) {
  begin();
  ASSERT_EQ(outcome(users->change_password({}, {alice, "battery staple", true, {}})), "ok");
  EXPECT_THAT(devices(alice), IsEmpty());
  EXPECT_THAT(sessions(), ElementsAre("@alice:test.example FIRST SECOND (all)"));
}

TEST_F(PasswordsTest, NobodysCannotBeChanged) {
  begin();
  EXPECT_EQ(outcome(users->change_password({}, {UserId("@nobody:test.example"), "battery staple", true, {}})),
            "not_found/");
  ASSERT_EQ(outcome(users->deactivate({}, {alice})), "ok");
  EXPECT_EQ(outcome(users->change_password({}, {alice, "battery staple", true, {}})), "not_found/");
}

TEST_F(PasswordsTest, TooManyWrongOnesOfAnAccountHaveToWait) {
  begin({{"failed_logins", std::int64_t{3}}});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(check("wrong"), "denied/bad_credentials");
  const auto refused = users->verify_password({}, {alice, "correct horse", ""});
  ASSERT_EQ(outcome(refused), "unavailable/limit_exceeded") << "also with the right one: else it would tell";
  EXPECT_EQ(refused.error().fields, (std::vector<ErrorField>{{"retry_after_ms", "300000"}}));
  EXPECT_EQ(outcome(log_in("alice", "correct horse")), "unavailable/limit_exceeded");
  ASSERT_EQ(outcome(sign_up("bob")), "ok");
  EXPECT_EQ(outcome(log_in("bob", "correct horse")), "ok");
  host.advance(std::chrono::minutes(5) - std::chrono::milliseconds(1));
  EXPECT_EQ(check("correct horse"), "unavailable/limit_exceeded");
  host.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(check("correct horse"), "ok");
}

TEST_F(PasswordsTest, TooManyWrongOnesFromAnAddressHaveToWait) {
  begin({{"failed_logins", std::int64_t{3}}});
  for (const char* user : {"a", "b", "c"})
    EXPECT_EQ(outcome(log_in(user, "x", "", false, "10.0.0.1")), "denied/bad_credentials");
  EXPECT_EQ(outcome(log_in("alice", "correct horse", "", false, "10.0.0.1")), "unavailable/limit_exceeded");
  EXPECT_EQ(outcome(log_in("alice", "correct horse", "", false, "10.0.0.2")), "ok");
}

TEST_F(PasswordsTest, ARightOneForgivesTheAccountButNotTheAddress) {
  begin({{"failed_logins", std::int64_t{3}}});
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 2; ++i) EXPECT_EQ(check("wrong"), "denied/bad_credentials");
    EXPECT_EQ(check("correct horse"), "ok");
  }
  EXPECT_EQ(check("wrong", "10.0.0.1"), "denied/bad_credentials");
  EXPECT_EQ(check("correct horse", "10.0.0.1"), "ok");
  EXPECT_EQ(check("wrong", "10.0.0.1"), "denied/bad_credentials");
  EXPECT_EQ(check("wrong", "10.0.0.1"), "denied/bad_credentials");
  EXPECT_EQ(check("correct horse", "10.0.0.1"), "unavailable/limit_exceeded")
      << "or who has an account could go on guessing";
}

TEST_F(PasswordsTest, ZeroIsNoLimit) {
  begin({{"failed_logins", std::int64_t{0}}});
  for (int i = 0; i < 30; ++i) EXPECT_EQ(check("wrong", "10.0.0.1"), "denied/bad_credentials");
  EXPECT_EQ(check("correct horse", "10.0.0.1"), "ok");
}

TEST_F(PasswordsTest, DeactivationEndsEverything) {
  begin();
  const auto token = *users->create_login_token({}, {alice});
  ASSERT_EQ(outcome(users->set_account_data({}, {alice, {}, "m.x", {"{}"}})), "ok");
  ASSERT_EQ(outcome(users->deactivate({}, {alice})), "ok");
  EXPECT_THAT(sessions(), ElementsAre("@alice:test.example FIRST SECOND (all)"));
  EXPECT_EQ(owner(first.access_token), "denied/unknown_token");
  EXPECT_EQ(outcome(log_in("alice", "correct horse")), "denied/user_deactivated");
  EXPECT_EQ(outcome(log_in_with_token(token.login_token)), "denied/bad_credentials");
  EXPECT_EQ(outcome(users->get_profile({}, {alice})), "not_found/");
  EXPECT_EQ(outcome(users->get_account_data({}, {alice, {}, "m.x"})), "not_found/");
  ASSERT_EQ(outcome(users->deactivate({}, {alice})), "ok") << "again does no harm";
  EXPECT_EQ(sessions().size(), 1U);
  EXPECT_EQ(outcome(users->deactivate({}, {UserId("@nobody:test.example")})), "not_found/");
}

}  // namespace
}  // namespace backplane::user_api
