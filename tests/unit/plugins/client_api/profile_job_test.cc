#include <chrono>
#include <thread>

#include "client_fixture.h"

namespace backplane::client_api {
namespace {

using http::Method;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const RoomId first("!1:x"), second("!2:x"), third("!3:x");

struct ProfileJobTest : ClientFixture {
  ProfileJobTest() { token = sign_up(); }

  std::string set(std::string key, std::string value) {
    const std::string body = "{\"" + key + "\":" + value + "}";
    return outcome(ask(
        {Method::put, "v3|r0/profile/{userId}/{keyName}", body, token, {{"userId", alice.str()}, {"keyName", key}}}));
  }
  /// Alice is in the room, and client_api knows.
  void join(const RoomId& room) {
    {
      const std::lock_guard lock(shared.mutex);
      shared.members[room] = "join";
    }
    rooms->membership(room, "", "join");
    follow();
  }
  /// Until client_api has committed every record of the rooms.
  void follow() {
    eventually([&] { return host.metric("client_api", "log_lag", lag_labels) == 0; });
  }
  std::vector<std::string> told() {
    const std::lock_guard lock(shared.mutex);
    return shared.told;
  }
  /// Lets time pass until the condition holds.
  template <class Condition>
  void eventually(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition() && std::chrono::steady_clock::now() < end) {
      host.advance(std::chrono::milliseconds(100));
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    EXPECT_TRUE(condition());
  }
  void expect_told(std::vector<std::string> lines) {
    eventually([&] { return told().size() >= lines.size(); });
    EXPECT_THAT(told(), ::testing::UnorderedElementsAreArray(lines));
  }
  void refuse(const RoomId& room, std::optional<Error> error) {
    const std::lock_guard lock(shared.mutex);
    shared.refusals.erase(room);
    if (error) shared.refusals.emplace(room, *error);
  }
  int asked(const RoomId& room) {
    const std::lock_guard lock(shared.mutex);
    return shared.asked[room.str()];
  }

  const MetricLabels lag_labels{{"topic", "room_events"}, {"group", "client_api"}};
  std::string token;
};

TEST_F(ProfileJobTest, AChangeReachesEveryRoom) {
  for (const RoomId& room : {first, second}) join(room);
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_EQ(set("displayname", "\"Al\""), "200");
  expect_told({"!1:x Al -", "!2:x Al -"});
  EXPECT_EQ(set("avatar_url", "\"mxc://a/b\""), "200");
  expect_told({"!1:x Al -", "!2:x Al -", "!1:x Al mxc://a/b", "!2:x Al mxc://a/b"});
}

TEST_F(ProfileJobTest, TheSameAgainReachesNone) {
  join(first);
  const auto before = host.commits("client_api");
  (void)set("displayname", "\"Al\"");
  expect_told({"!1:x Al -"});
  EXPECT_EQ(set("displayname", "\"Al\""), "200");
  EXPECT_EQ(set("m.tz", "\"Europe/Rome\""), "200") << "is not shown in rooms";
  EXPECT_EQ(set("displayname", "null"), "200");
  expect_told({"!1:x Al -", "!1:x - -"});
  // Two jobs (to begin, to wait for what is queued, to list the rooms, a step), and perhaps the wait for the join.
  EXPECT_LE(host.commits("client_api"), before + 9);
}

TEST_F(ProfileJobTest, AChangeWhoseJobWasNotStoredIsCarriedByTheNextAttempt) {
  join(first);
  host.fail_writes("client_api", unavailable("storage", "full"));
  EXPECT_NE(set("displayname", "\"Al\""), "200");
  EXPECT_EQ(set("displayname", "\"Al\""), "200") << "though the profile has that name already";
  expect_told({"!1:x Al -"});
}

TEST_F(ProfileJobTest, GoesOnAfterARestart) {
  for (const RoomId& room : {first, second}) join(room);
  for (const RoomId& room : {first, second}) refuse(room, unavailable("", "not now"));
  EXPECT_EQ(set("displayname", "\"Al\""), "200");
  eventually([&] { return asked(first) > 0; });
  restart();
  for (const RoomId& room : {first, second}) refuse(room, std::nullopt);
  expect_told({"!1:x Al -", "!2:x Al -"});
}

TEST_F(ProfileJobTest, ARoomThatDoesNotTakeItHoldsUpNoOther) {
  for (const RoomId& room : {first, second, third}) join(room);
  refuse(first, unavailable("", "not now"));
  EXPECT_EQ(set("displayname", "\"Al\""), "200");
  expect_told({"!2:x Al -", "!3:x Al -"});
  eventually([&] { return asked(first) >= 3; });
  refuse(first, std::nullopt);
  expect_told({"!1:x Al -", "!2:x Al -", "!3:x Al -"});
}

TEST_F(ProfileJobTest, ARoomThatNeverWillIsLeftOut) {
  for (const RoomId& room : {first, second}) join(room);
  refuse(first, denied("forbidden", "banned"));
  EXPECT_EQ(set("displayname", "\"Al\""), "200");
  expect_told({"!2:x Al -"});
  for (int i = 0; i < 100; ++i) host.advance(std::chrono::seconds(1));
  EXPECT_EQ(asked(first), 1);
}

TEST_F(ProfileJobTest, WhoHasLeftIsNotJoinedAgain) {
  for (const RoomId& room : {first, second}) join(room);
  rooms->membership(first, "join", "leave");
  {
    const std::lock_guard lock(shared.mutex);
    shared.members[first] = "leave";
    shared.members[second] = "leave";  // of which log 4 does not tell yet
  }
  follow();
  join(third);
  EXPECT_EQ(set("displayname", "\"Al\""), "200");
  expect_told({"!3:x Al -"});
  EXPECT_EQ(asked(first) + asked(second), 0);
}

TEST_F(ProfileJobTest, AJoinAfterAChangeIsQueuedAgain) {
  join(first);
  EXPECT_EQ(set("displayname", "\"Al\""), "200");
  expect_told({"!1:x Al -"});
  join(second);  // with the profile of before, for all that is known
  expect_told({"!1:x Al -", "!2:x Al -"});
}

TEST_F(ProfileJobTest, HistoryAndOthersAreNoMemberships) {
  rooms->membership(first, "", "join", api::RoomEventKind::history);
  rooms->membership(second, "", "invite");
  {
    const std::lock_guard lock(shared.mutex);
    for (const RoomId& room : {first, second}) shared.members[room] = "join";
  }
  follow();
  join(third);
  EXPECT_EQ(set("displayname", "\"Al\""), "200");
  expect_told({"!3:x Al -"});
  EXPECT_EQ(asked(first) + asked(second), 0);
}

}  // namespace
}  // namespace backplane::client_api
