#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backplane/api/session.h"
#include "backplane/testing/fake_host.h"

namespace backplane::api::test {
namespace {

using http::Authentication;

/// The topic `sessions` as a consumer sees it, moved by the test.
struct FakeTail final : log::Tail {
  log::Positions followed() const override { return log::Positions(followed_to); }
  log::Positions head() const override {
    const log::Positions answer(head_at);
    if (after_head) std::exchange(after_head, nullptr)();
    return answer;
  }
  Result<log::Positions> ask_head(Instant) override { return head(); }
  bool wait_for(const log::Positions& positions, Instant) override { return followed().covers(positions); }
  bool connected() const override { return true; }
  std::string epoch() const override { return "e"; }

  /// A log-out is committed, and followed at once.
  void publish(const SessionsRecord& record) {
    commit();
    follow(record);
  }
  void commit() { ++head_at; }
  void follow(const SessionsRecord& record) {
    auto made = std::make_shared<log::Record>();
    made->payload = to_json(record);
    made->position = {0, head_at};
    handler({{made}, log::Positions(head_at)});
    followed_to = head_at;
  }

  std::uint64_t head_at = 5, followed_to = 5;
  mutable std::function<void()> after_head;
  log::TailHandler handler;
};

struct FakeLog final : log::Log {
  explicit FakeLog(FakeTail& t) : its_tail(t) {}
  log::Publisher& publish(std::string_view, log::Durability, storage::Store*) override {
    throw std::logic_error("publishes nothing");
  }
  log::Consumer& consume(log::ConsumeOptions, storage::Store&, log::ConsumeHandler) override {
    throw std::logic_error("consumes nothing");
  }
  log::Tail& tail(log::TailOptions options, log::TailHandler handler) override {
    EXPECT_EQ(options.topic, "sessions");
    its_tail.handler = std::move(handler);
    return its_tail;
  }
  FakeTail& its_tail;
};

struct FakeWiring final : plugin::Wiring {
  explicit FakeWiring(FakeLog& l) : its_log(l) {}
  void provide(Interface&) override {}
  http::Routes& routes(http::Surface, http::Authenticator*) override { throw std::logic_error("has no routes"); }
  storage::Store& store(plugin::StoreOptions) override { throw std::logic_error("has no store"); }
  log::Log& log() override { return its_log; }
  Metrics& metrics() override { throw std::logic_error("has no metrics"); }
  void adopt(std::unique_ptr<Interface>, plugin::Need) override {}
  void offer_object(std::string_view, void*) override {}
  void* find_object(std::string_view) override { return nullptr; }
  FakeLog& its_log;
};

struct TokenAuthenticatorTest : ::testing::Test {
  TokenAuthenticatorTest() {
    users.verify_access_token.bind(
        [this](const CallContext&, const VerifyAccessTokenRequest& request) -> Result<VerifyAccessTokenResponse> {
          ++verified;
          if (during_verify) std::exchange(during_verify, nullptr)();
          const auto it = known.find(request.token.str());
          if (it == known.end()) return denied("unknown_token", "not known");
          return it->second;
        });
    known["alice1"] = {UserId("@alice:x"), DeviceId("A1"), false, false, std::nullopt};
    known["alice2"] = {UserId("@alice:x"), DeviceId("A2"), false, true, std::nullopt};
    known["bob"] = {UserId("@bob:x"), DeviceId("B"), false, false, std::nullopt};
    known["guest"] = {UserId("@1:x"), DeviceId("G"), true, false, std::nullopt};
  }

  Result<std::shared_ptr<const http::Identity>> authenticate(const std::string& token,
                                                             Authentication level = Authentication::required) {
    http::Request request;
    if (!token.empty()) request.headers.push_back({"authorization", "Bearer " + token});
    return authenticator.authenticate(request, level);
  }
  std::string outcome(const std::string& token, Authentication level = Authentication::required) {
    const auto result = authenticate(token, level);
    if (!result) return result.error().reason;
    return *result == nullptr ? "nobody" : static_cast<const Session&>(**result).user.str();
  }
  SessionsRecord log_out(const char* user, const char* device) { return {UserId(user), {DeviceId(device)}, false}; }

  testing::FakeHost host;
  FakeTail tail;
  FakeLog log{tail};
  FakeWiring wiring{log};
  UserApi users;
  std::map<std::string, VerifyAccessTokenResponse> known;
  int verified = 0;
  std::function<void()> during_verify;
  TokenAuthenticator authenticator{host, wiring, users};
};

TEST_F(TokenAuthenticatorTest, EveryLevelWithAndWithoutAToken) {
  EXPECT_EQ(outcome("", Authentication::none), "nobody");
  EXPECT_EQ(outcome("nonsense", Authentication::none), "nobody") << "not even looked at";
  EXPECT_EQ(verified, 0);
  EXPECT_EQ(outcome("", Authentication::optional), "nobody");
  EXPECT_EQ(outcome("alice1", Authentication::optional), "@alice:x");
  EXPECT_EQ(outcome("nonsense", Authentication::optional), "unknown_token");
  EXPECT_EQ(outcome("", Authentication::guest), "missing_token");
  EXPECT_EQ(outcome("", Authentication::required), "missing_token");
  EXPECT_EQ(outcome("guest", Authentication::optional), "@1:x");
  EXPECT_EQ(outcome("guest", Authentication::guest), "@1:x");
  EXPECT_EQ(outcome("guest", Authentication::required), "guest_access_forbidden");
  EXPECT_EQ(outcome("nonsense", Authentication::required), "unknown_token");
  EXPECT_EQ(outcome("alice1", Authentication::federation_signature), "unknown_token");
}

TEST_F(TokenAuthenticatorTest, TellsWhoItIs) {
  const auto result = authenticate("alice2");
  ASSERT_TRUE(result);
  const auto& session = static_cast<const Session&>(**result);
  EXPECT_EQ(session.device.str(), "A2");
  EXPECT_TRUE(session.admin);
  EXPECT_FALSE(session.guest);
  EXPECT_EQ(session.rate_key, "@alice:x");
}

TEST_F(TokenAuthenticatorTest, AsksOnceForManyRequests) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(outcome("alice1"), "@alice:x");
  EXPECT_EQ(verified, 1);
}

TEST_F(TokenAuthenticatorTest, DoesNotKeepWhatIsUnknown) {
  EXPECT_EQ(outcome("soon"), "unknown_token");
  known["soon"] = known["bob"];
  EXPECT_EQ(outcome("soon"), "@bob:x");
}

TEST_F(TokenAuthenticatorTest, DropsADevicesTokenAtOnce) {
  for (const char* token : {"alice1", "alice2", "bob"}) (void)authenticate(token);
  known.erase("alice1");
  tail.publish(log_out("@alice:x", "A1"));
  EXPECT_EQ(outcome("alice1"), "unknown_token");
  EXPECT_EQ(verified, 4);
  EXPECT_EQ(outcome("alice2"), "@alice:x");
  EXPECT_EQ(outcome("bob"), "@bob:x");
  EXPECT_EQ(verified, 4) << "the others are still kept";
}

TEST_F(TokenAuthenticatorTest, DropsAllOfAUser) {
  for (const char* token : {"alice1", "alice2", "bob"}) (void)authenticate(token);
  known.clear();
  tail.publish({UserId("@alice:x"), {}, true});
  EXPECT_EQ(outcome("alice1"), "unknown_token");
  EXPECT_EQ(outcome("alice2"), "unknown_token");
  EXPECT_EQ(outcome("bob"), "@bob:x");
}

TEST_F(TokenAuthenticatorTest, LeavesStrangeRecordsAlone) {
  (void)authenticate("bob");
  auto broken = std::make_shared<log::Record>();
  broken->payload = "[]";
  tail.handler({{broken}, log::Positions(5)});
  tail.publish(log_out("@nobody:x", "Z"));
  EXPECT_EQ(outcome("bob"), "@bob:x");
  EXPECT_EQ(verified, 1);
}

TEST_F(TokenAuthenticatorTest, NeverAnswersFromTheCacheWhileTheTailIsBehind) {
  (void)authenticate("alice1");
  tail.commit();  // a log-out that has not come here
  known.erase("alice1");
  EXPECT_EQ(outcome("alice1"), "unknown_token");
  EXPECT_EQ(outcome("bob"), "@bob:x");
  EXPECT_EQ(outcome("bob"), "@bob:x");
  EXPECT_EQ(verified, 4) << "and keeps nothing meanwhile";
  tail.follow(log_out("@alice:x", "A1"));
  (void)outcome("bob");
  (void)outcome("bob");
  EXPECT_EQ(verified, 5);
}

TEST_F(TokenAuthenticatorTest, ALogOutDuringTheLookUpIsNotMissed) {
  during_verify = [&] { tail.publish(log_out("@alice:x", "A1")); };
  EXPECT_EQ(outcome("alice1"), "@alice:x") << "it was valid when it was looked at";
  known.erase("alice1");
  EXPECT_EQ(outcome("alice1"), "unknown_token");
}

TEST_F(TokenAuthenticatorTest, ALogOutBetweenTheLookUpAndKeepingIsNotMissed) {
  during_verify = [&] {
    tail.after_head = [&] { tail.publish(log_out("@alice:x", "A1")); };  // right after the head was looked at
  };
  EXPECT_EQ(outcome("alice1"), "@alice:x");
  known.erase("alice1");
  EXPECT_EQ(outcome("alice1"), "unknown_token");
}

TEST_F(TokenAuthenticatorTest, AnExpiredTokenIsAskedForAgain) {
  known["alice1"].expires_ms = host.fake_clock().wall_ms() + 1000;
  EXPECT_EQ(outcome("alice1"), "@alice:x");
  host.fake_clock().advance(std::chrono::milliseconds(999));
  EXPECT_EQ(outcome("alice1"), "@alice:x");
  EXPECT_EQ(verified, 1);
  host.fake_clock().advance(std::chrono::milliseconds(1));
  known.erase("alice1");
  EXPECT_EQ(outcome("alice1"), "unknown_token");
  EXPECT_EQ(verified, 2);
}

TEST_F(TokenAuthenticatorTest, ATokenThatHoldsLongerNowIsKeptAnew) {
  known["alice1"].expires_ms = host.fake_clock().wall_ms() + 1000;
  (void)authenticate("alice1");
  host.fake_clock().advance(std::chrono::seconds(1));
  known["alice1"].expires_ms.reset();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(outcome("alice1"), "@alice:x");
  EXPECT_EQ(verified, 2);
}

}  // namespace
}  // namespace backplane::api::test
