#include "auth/interactive_auth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backplane/testing/fake_host.h"

namespace backplane::client_api {
namespace {

struct InteractiveAuthTest : ::testing::Test {
  AuthOutcome check(const std::string& body, const std::string& subject = "password @alice:x") {
    const auto document = json::Document::parse(body);
    EXPECT_TRUE(document) << body;
    return auth.check(document->root(), flows, stages, subject);
  }
  static std::string member(const AuthOutcome& outcome, std::string_view name) {
    const auto document = json::Document::parse(outcome.refusal.body);
    EXPECT_TRUE(document) << outcome.refusal.body;
    const auto value = document->root().find(name);
    return !value ? "absent" : value->is_string() ? std::string(*value->as_string()) : value->canonical();
  }
  std::string begin(const std::string& subject = "password @alice:x") {
    return member(check("{}", subject), "session");
  }
  static std::string with(const std::string& session, const std::string& type, const std::string& rest = "") {
    return R"({"auth":{"session":")" + session + R"(","type":")" + type + "\"" + rest + "}}";
  }

  testing::FakeClock clock;
  testing::FakeRandom random;
  InteractiveAuth auth{clock, random};
  std::vector<Flow> flows{{"a", "b"}, {"c"}};
  int tried = 0;
  InteractiveAuth::Stages stages{{"a",
                                  [this](json::View) -> Result<std::string> {
                                    ++tried;
                                    return std::string("from a");
                                  }},
                                 {"b",
                                  [this](json::View given) -> Result<std::string> {
                                    ++tried;
                                    const auto word = given.find_string("word").value_or("");
                                    if (word == "busy")
                                      return unavailable("limit_exceeded", "later").with_json("retry_after_ms", "7");
                                    if (word != "sesame") return denied("bad_credentials", "that is not the word");
                                    return std::string("from b");
                                  }},
                                 {"c", [](json::View) -> Result<std::string> { return std::string("from c"); }}};
};

TEST_F(InteractiveAuthTest, AsksForTheStages) {
  const auto asked = check("{}");
  EXPECT_FALSE(asked.done);
  EXPECT_EQ(asked.refusal.status, 401);
  EXPECT_EQ(member(asked, "flows"), R"([{"stages":["a","b"]},{"stages":["c"]}])");
  EXPECT_EQ(member(asked, "params"), "{}");
  EXPECT_EQ(member(asked, "completed"), "[]");
  EXPECT_EQ(member(asked, "errcode"), "absent");
  EXPECT_NE(member(asked, "session"), begin()) << "each beginning is a session of its own";
}

TEST_F(InteractiveAuthTest, IsDoneWithEveryStageOfAFlow) {
  const std::string session = begin();
  const auto first = check(with(session, "a"));
  ASSERT_FALSE(first.done);
  EXPECT_EQ(first.refusal.status, 401);
  EXPECT_EQ(member(first, "session"), session);
  EXPECT_EQ(member(first, "completed"), R"(["a"])");
  EXPECT_EQ(member(first, "errcode"), "absent") << "a stage that is done is no error";
  const auto second = check(with(session, "b", R"(,"word":"sesame")"));
  EXPECT_TRUE(second.done);
  EXPECT_EQ(second.answers, (std::map<std::string, std::string>{{"a", "from a"}, {"b", "from b"}}));
}

TEST_F(InteractiveAuthTest, AnotherFlowWillDo) { EXPECT_TRUE(check(with(begin(), "c")).done); }

TEST_F(InteractiveAuthTest, OneStageNeedsNoQuestionFirst) { EXPECT_TRUE(check(R"({"auth":{"type":"c"}})").done); }

TEST_F(InteractiveAuthTest, AWrongStageKeepsTheSession) {
  const std::string session = begin();
  (void)check(with(session, "a"));
  const auto wrong = check(with(session, "b", R"(,"word":"barley")"));
  EXPECT_FALSE(wrong.done);
  EXPECT_EQ(wrong.refusal.status, 401);
  EXPECT_EQ(member(wrong, "errcode"), "M_FORBIDDEN");
  EXPECT_EQ(member(wrong, "error"), "that is not the word");
  EXPECT_EQ(member(wrong, "completed"), R"(["a"])");
  const auto unknown = check(with(session, "z"));
  EXPECT_FALSE(unknown.done);
  EXPECT_NE(member(unknown, "errcode"), "absent");
  EXPECT_TRUE(check(with(session, "b", R"(,"word":"sesame")")).done);
}

TEST_F(InteractiveAuthTest, AStageThatCannotBeTriedNowIsTheErrorItself) {
  const std::string session = begin();
  (void)check(with(session, "a"));
  const auto busy = check(with(session, "b", R"(,"word":"busy")"));
  EXPECT_FALSE(busy.done);
  EXPECT_EQ(busy.refusal.status, 429);
  EXPECT_EQ(member(busy, "errcode"), "M_LIMIT_EXCEEDED");
  EXPECT_EQ(member(busy, "retry_after_ms"), "7");
  EXPECT_TRUE(check(with(session, "b", R"(,"word":"sesame")")).done);
}

TEST_F(InteractiveAuthTest, AllowsOnce) {
  const std::string session = begin();
  ASSERT_TRUE(check(with(session, "c")).done);
  const auto again = check(R"({"auth":{"session":")" + session + "\"}}");
  EXPECT_FALSE(again.done);
  EXPECT_NE(member(again, "session"), session);
}

TEST_F(InteractiveAuthTest, TwoAtTheSameTimeAreAllowedOnce) {
  const std::string session = begin();
  (void)check(with(session, "a"));
  // While the stage of the one is tried, the other goes all the way.
  bool inner_done = false;
  bool begun = false;
  const auto sesame = stages["b"];
  stages["b"] = [&](json::View given) {
    if (!std::exchange(begun, true)) inner_done = check(with(session, "b", R"(,"word":"sesame")")).done;
    return sesame(given);
  };
  const auto outer = check(with(session, "b", R"(,"word":"sesame")"));
  EXPECT_TRUE(inner_done);
  EXPECT_FALSE(outer.done);
  EXPECT_EQ(outer.refusal.status, 401);
  EXPECT_NE(member(outer, "session"), session);
}

TEST_F(InteractiveAuthTest, StagesDoneAtTheSameTimeBothCount) {
  const std::string session = begin();
  const auto plain = stages["a"];
  stages["a"] = [&](json::View given) {
    EXPECT_FALSE(check(with(session, "b", R"(,"word":"sesame")")).done);
    return plain(given);
  };
  EXPECT_TRUE(check(with(session, "a")).done);
}

TEST_F(InteractiveAuthTest, ExpiresAfterAWhile) {
  const std::string session = begin();
  (void)check(with(session, "a"));
  clock.advance(std::chrono::minutes(15));
  const auto late = check(with(session, "b", R"(,"word":"sesame")"));
  EXPECT_FALSE(late.done);
  EXPECT_NE(member(late, "session"), session);
  EXPECT_EQ(member(late, "completed"), R"(["b"])") << "of the session that begins here";
}

TEST_F(InteractiveAuthTest, BelongsToWhatItWasBegunFor) {
  const std::string session = begin("password @alice:x");
  (void)check(with(session, "a"));
  const auto other = check(with(session, "b", R"(,"word":"sesame")"), "password @bob:x");
  EXPECT_FALSE(other.done);
  EXPECT_NE(member(other, "session"), session);
  EXPECT_TRUE(check(with(session, "b", R"(,"word":"sesame")")).done) << "and is still there for that";
}

TEST_F(InteractiveAuthTest, StrangeBodiesAreAskedAgain) {
  for (const char* body :
       {R"({"auth":5})", R"({"auth":[]})", R"({"auth":{}})", R"({"auth":{"session":5}})", R"({"auth":{"type":5}})"}) {
    const auto asked = check(body);
    EXPECT_FALSE(asked.done) << body;
    EXPECT_EQ(asked.refusal.status, 401) << body;
  }
  EXPECT_EQ(tried, 0);
}

}  // namespace
}  // namespace backplane::client_api
