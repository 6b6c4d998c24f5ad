#include "user_fixture.h"

namespace backplane::user_api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct SessionsTest : UserFixture {
  SessionsTest() {
    start();
    first = *sign_up("alice", "FIRST");
  }
  api::LogInResponse first;
};

TEST_F(SessionsTest, ByPasswordWithLocalpartOrUserId) {
  for (const char* user : {"alice", "@alice:test.example"}) {
    const auto in = log_in(user, "correct horse");
    ASSERT_EQ(outcome(in), "ok") << user;
    EXPECT_EQ(in->user_id, alice);
    EXPECT_FALSE(in->device_id.empty());
  }
  EXPECT_EQ(outcome(log_in("@alice:other.example", "correct horse")), "denied/bad_credentials");
  EXPECT_EQ(outcome(log_in("bob", "correct horse")), "denied/bad_credentials");
  EXPECT_EQ(outcome(log_in("alice", "wrong horse")), "denied/bad_credentials");
  EXPECT_EQ(outcome(users->log_in({}, {"alice", {}, {}, {}, {}, false, ""})), "invalid/missing_param");
  EXPECT_EQ(devices(alice).size(), 3U) << "a failed log-in makes no device";
}

TEST_F(SessionsTest, ALogInOnADeviceThatIsThereVoidsItsTokens) {
  auto in = log_in("alice", "correct horse", "LAPTOP", true);
  ASSERT_EQ(outcome(in), "ok");
  EXPECT_THAT(sessions(), IsEmpty()) << "a new device is no news";
  const auto again = log_in("alice", "correct horse", "LAPTOP");
  ASSERT_EQ(outcome(again), "ok");
  EXPECT_EQ(owner(in->access_token), "denied/unknown_token");
  EXPECT_EQ(owner(again->access_token), "@alice:test.example/LAPTOP");
  EXPECT_EQ(outcome(users->refresh({}, {*in->refresh_token})), "denied/unknown_token")
      << "the old refresh token would take the session over";
  EXPECT_EQ(owner(again->access_token), "@alice:test.example/LAPTOP");
  EXPECT_THAT(sessions(), ElementsAre("@alice:test.example LAPTOP"));
  EXPECT_EQ(owner(first.access_token), "@alice:test.example/FIRST");
}

TEST_F(SessionsTest, ADeviceKeepsItsNameWhenItLogsInAgain) {
  ASSERT_EQ(outcome(users->update_device({}, {alice, DeviceId("FIRST"), "my phone"})), "ok");
  api::LogInRequest request{"alice", "correct horse", {}, DeviceId("FIRST"), "another name", false, "10.0.0.1"};
  ASSERT_EQ(outcome(users->log_in({}, request)), "ok");
  const auto device = users->list_devices({}, {alice})->devices.at(0);
  EXPECT_EQ(device.display_name, "my phone");
  EXPECT_EQ(device.last_seen_ip, "10.0.0.1");
}

TEST_F(SessionsTest, ALoginTokenWorksOnceAndForAWhile) {
  const auto made = users->create_login_token({}, {alice});
  ASSERT_EQ(outcome(made), "ok");
  EXPECT_EQ(made->expires_in_ms, 120'000);
  const auto in = log_in_with_token(made->login_token);
  ASSERT_EQ(outcome(in), "ok");
  EXPECT_EQ(in->user_id, alice);
  EXPECT_EQ(outcome(log_in_with_token(made->login_token)), "denied/bad_credentials");
  const auto late = users->create_login_token({}, {alice});
  host.advance(std::chrono::minutes(2));
  EXPECT_EQ(outcome(log_in_with_token(late->login_token)), "denied/bad_credentials");
  EXPECT_EQ(outcome(log_in_with_token("bpl_nonsense")), "denied/bad_credentials");
}

TEST_F(SessionsTest, RefreshingGivesNewTokensForTheSameDevice) {
  auto in = log_in("alice", "correct horse", "LAPTOP", true, "10.1.1.1");
  ASSERT_EQ(outcome(in), "ok");
  const auto next = users->refresh({}, {*in->refresh_token});
  ASSERT_EQ(outcome(next), "ok");
  EXPECT_EQ(owner(next->access_token), "@alice:test.example/LAPTOP");
  EXPECT_EQ(next->expires_in_ms, 300'000);
  ASSERT_TRUE(next->refresh_token);
  EXPECT_NE(next->refresh_token, in->refresh_token);
  EXPECT_EQ(owner(in->access_token), "denied/unknown_token");
  EXPECT_EQ(outcome(users->refresh({}, {*in->refresh_token})), "denied/unknown_token");
  EXPECT_EQ(users->list_devices({}, {alice})->devices.at(1).last_seen_ip, "10.1.1.1")
      << "kept: a refresh tells no address";
  EXPECT_THAT(sessions(), ElementsAre("@alice:test.example LAPTOP"));
}

TEST_F(SessionsTest, AnAccessTokenThatExpiredIsASoftLogOut) {
  const auto in = log_in("alice", "correct horse", "LAPTOP", true);
  host.advance(std::chrono::minutes(5) - std::chrono::milliseconds(1));
  EXPECT_EQ(verify(in->access_token)->expires_ms, host.fake_clock().wall_ms() + 1);
  host.advance(std::chrono::milliseconds(1));
  const auto expired = verify(in->access_token);
  ASSERT_EQ(outcome(expired), "denied/unknown_token");
  EXPECT_EQ(expired.error().fields, (std::vector<ErrorField>{{"soft_logout", "true"}}));
  EXPECT_TRUE(verify(AccessToken("bp_nonsense")).error().fields.empty());
  EXPECT_EQ(outcome(users->refresh({}, {*in->refresh_token})), "ok") << "that is what it is for";
  EXPECT_EQ(owner(first.access_token), "@alice:test.example/FIRST") << "without a refresh token it holds";
}

TEST_F(SessionsTest, DevicesAreRenamed) {
  ASSERT_EQ(outcome(users->update_device({}, {alice, DeviceId("FIRST"), "phone"})), "ok");
  ASSERT_EQ(outcome(users->update_device({}, {alice, DeviceId("FIRST"), {}})), "ok") << "nothing to change";
  EXPECT_EQ(users->list_devices({}, {alice})->devices.at(0).display_name, "phone");
  EXPECT_EQ(outcome(users->update_device({}, {alice, DeviceId("OTHER"), "x"})), "not_found/");
}

TEST_F(SessionsTest, DeletedDevicesAreToldInTheSameCommit) {
  const auto second = *log_in("alice", "correct horse", "SECOND", true);
  const auto third = *log_in("alice", "correct horse", "THIRD");
  const auto before = commits();
  ASSERT_EQ(outcome(users->delete_devices(
                {}, {alice, {DeviceId("FIRST"), DeviceId("SECOND"), DeviceId("BOGUS")}, false, {}})),
            "ok");
  EXPECT_EQ(commits(), before + 1);
  EXPECT_THAT(sessions(), ElementsAre("@alice:test.example FIRST SECOND")) << "what was not there is no news";
  EXPECT_THAT(devices(alice), ElementsAre("THIRD"));
  EXPECT_EQ(owner(first.access_token), "denied/unknown_token");
  EXPECT_EQ(outcome(users->refresh({}, {*second.refresh_token})), "denied/unknown_token");
  EXPECT_EQ(owner(third.access_token), "@alice:test.example/THIRD");
}

TEST_F(SessionsTest, AFailedDeletionTellsNothing) {
  host.fail_writes("user_api", unavailable("storage", "full"));
  EXPECT_EQ(outcome(users->delete_devices({}, {alice, {DeviceId("FIRST")}, false, {}})), "unavailable/storage");
  EXPECT_THAT(sessions(), IsEmpty());
  EXPECT_EQ(owner(first.access_token), "@alice:test.example/FIRST");
}

TEST_F(SessionsTest, DeletingNothingDoesNothing) {
  ASSERT_EQ(outcome(users->delete_devices({}, {alice, {}, false, {}})), "ok");
  ASSERT_EQ(outcome(users->delete_devices({}, {alice, {DeviceId("BOGUS")}, false, {}})), "ok");
  EXPECT_THAT(sessions(), IsEmpty());
  EXPECT_THAT(devices(alice), ElementsAre("FIRST"));
}

TEST_F(SessionsTest, AllButOne) {
  for (const char* device : {"A", "B"}) (void)log_in("alice", "correct horse", device);
  ASSERT_EQ(outcome(users->delete_devices({}, {alice, {}, true, DeviceId("A")})), "ok");
  EXPECT_THAT(devices(alice), ElementsAre("A"));
  EXPECT_THAT(sessions(), ElementsAre("@alice:test.example B FIRST"));
  ASSERT_EQ(outcome(users->delete_devices({}, {alice, {DeviceId("A")}, true, {}})), "ok");
  EXPECT_THAT(devices(alice), IsEmpty());
}

TEST_F(SessionsTest, AnothersDeviceIsNotTouched) {
  const auto bob = *sign_up("bob", "FIRST");
  ASSERT_EQ(outcome(users->delete_devices({}, {alice, {DeviceId("FIRST")}, false, {}})), "ok");
  EXPECT_EQ(owner(bob.access_token), "@bob:test.example/FIRST");
  EXPECT_EQ(outcome(users->delete_devices({}, {UserId("@x:other.example"), {}, true, {}})), "not_found/");
}

TEST_F(SessionsTest, RestartKeepsAll) {
  auto in = *log_in("alice", "correct horse", "LAPTOP", true);
  const auto token = *users->create_login_token({}, {alice});
  restart();
  EXPECT_EQ(owner(first.access_token), "@alice:test.example/FIRST");
  EXPECT_EQ(outcome(users->refresh({}, {*in.refresh_token})), "ok");
  EXPECT_EQ(outcome(log_in_with_token(token.login_token)), "ok");
  EXPECT_EQ(outcome(log_in("alice", "correct horse")), "ok");
}

}  // namespace
}  // namespace backplane::user_api
