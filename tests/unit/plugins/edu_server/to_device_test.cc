#include "edu_fixture.h"

namespace backplane::edu_server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

struct ToDeviceTest : EduFixture {
  auto send(api::DeviceMessages messages, std::string transaction = "", std::string device = "A1") {
    api::SendToDeviceRequest request{alice, "m.test", std::move(messages), {}};
    request.key = {alice, DeviceId(std::move(device)), "sendToDevice/m.test", TransactionId(std::move(transaction))};
    return edus->send_to_device({}, request);
  }
  static api::DeviceMessages to(const UserId& user, std::string device, std::string content = "{}") {
    return {{user.str(), {{std::move(device), {std::move(content)}}}}};
  }
  std::vector<std::string> published() {
    std::vector<std::string> out;
    for (const auto& record : host.records(api::send_to_device_topic)) {
      const auto m = from_json<api::SendToDeviceRecord>(record->payload);
      EXPECT_TRUE(m);
      EXPECT_EQ(record->key, m->user.str());
      EXPECT_EQ(m->sender, alice);
      EXPECT_EQ(m->type, "m.test");
      out.push_back(std::string(matrix::localpart(m->user)) + "/" + m->device.str() + " " + m->content.text);
    }
    return out;
  }
};

TEST_F(ToDeviceTest, ARecordForEachDeviceInOneCommit) {
  const auto before = commits();
  auto messages = to(alice, "A2", R"({"n":1})");
  messages.merge(to(bob, "B", R"({"n":2})"));
  const auto sent = send(messages, "t1");
  ASSERT_EQ(outcome(sent), "ok");
  EXPECT_EQ(commits(), before + 1);
  EXPECT_THAT(published(), ElementsAre(R"(alice/A2 {"n":1})", R"(bob/B {"n":2})"));
  EXPECT_EQ(sent->position, host.records(api::send_to_device_topic).back()->position);
}

TEST_F(ToDeviceTest, AStarIsEveryDevice) {
  ASSERT_EQ(outcome(send(to(alice, "*", R"({"n":1})"))), "ok");
  EXPECT_THAT(published(), UnorderedElementsAre(R"(alice/A1 {"n":1})", R"(alice/A2 {"n":1})"));
}

TEST_F(ToDeviceTest, WhoIsNotThereGetsNothing) {
  ASSERT_EQ(outcome(send(to(alice, "GONE"))), "ok");
  ASSERT_EQ(outcome(send(to(carol, "*"))), "ok");
  ASSERT_EQ(outcome(send(to(UserId("@far:other.example"), "X"))), "ok");
  ASSERT_EQ(outcome(send({})), "ok");
  EXPECT_THAT(published(), IsEmpty());
  EXPECT_EQ(outcome(send({{"alice", {{"A1", {"{}"}}}}})), "invalid/invalid_param");
  EXPECT_EQ(outcome(send({{alice.str(), {{"A1", {"5"}}}}})), "invalid/bad_json") << "content is an object";
  EXPECT_EQ(outcome(send({{alice.str(), {{"A1", {}}}}})), "invalid/bad_json") << "null";
}

TEST_F(ToDeviceTest, TheSameTransactionAgainIsTheSameAnswer) {
  const auto first = send(to(bob, "B"), "t1");
  ASSERT_EQ(outcome(first), "ok");
  ASSERT_EQ(outcome(send(to(bob, "B"), "t2")), "ok");
  const auto again = send(to(bob, "B"), "t1");
  ASSERT_EQ(outcome(again), "ok");
  EXPECT_EQ(again->position, first->position);
  EXPECT_EQ(published().size(), 2U);
  restart();
  EXPECT_EQ(send(to(bob, "B"), "t1")->position, first->position);
  EXPECT_EQ(published().size(), 2U);
  ASSERT_EQ(outcome(send(to(bob, "B"), "t1", "A2")), "ok") << "another device's transaction";
  EXPECT_EQ(published().size(), 3U);
}

TEST_F(ToDeviceTest, ATransactionThatReachedNobodyIsRememberedToo) {
  const auto first = send(to(alice, "LATER"), "t1");
  ASSERT_EQ(outcome(first), "ok");
  EXPECT_EQ(first->position, log::Position());
  devices[alice].push_back("LATER");
  EXPECT_EQ(send(to(alice, "LATER"), "t1")->position, log::Position());
  EXPECT_THAT(published(), IsEmpty());
}

TEST_F(ToDeviceTest, WithoutATransactionEachCounts) {
  (void)send(to(bob, "B"));
  (void)send(to(bob, "B"));
  EXPECT_EQ(published().size(), 2U);
}

TEST_F(ToDeviceTest, TransactionsAreForgottenAfterADay) {
  (void)send(to(bob, "B"), "t1");
  host.advance(std::chrono::hours(23));
  (void)send(to(bob, "B"), "t1");
  EXPECT_EQ(published().size(), 1U);
  host.advance(std::chrono::hours(2));
  (void)send(to(bob, "B"), "t1");
  EXPECT_EQ(published().size(), 2U);
}

TEST_F(ToDeviceTest, AFailedWriteSendsNothingAndMayBeRepeated) {
  host.fail_writes("edu_server", unavailable("storage", "full"));
  EXPECT_EQ(outcome(send(to(bob, "B"), "t1")), "unavailable/storage");
  EXPECT_THAT(published(), IsEmpty());
  EXPECT_EQ(outcome(send(to(bob, "B"), "t1")), "ok");
  EXPECT_EQ(published().size(), 1U);
}

}  // namespace
}  // namespace backplane::edu_server
