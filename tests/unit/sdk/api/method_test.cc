#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "backplane/testing/fake_host.h"
#include "test_interface.h"

namespace backplane::api::test {
namespace {

using ::testing::HasSubstr;

struct Measured {
  Counter calls, errors;
  Histogram seconds;
  testing::FakeClock clock;
  void watch(MethodBase& method) { method.measure(&calls, &errors, &seconds, &clock, "tests"); }
};

/// What a deferred call answered, when it has.
template <class T>
struct Caught {
  std::optional<Result<T>> result;
  int times = 0;
  auto callback() {
    return [this](Result<T> r) {
      ++times;
      result.emplace(std::move(r));
    };
  }
};

void connect(Oracle& consumer, const Oracle& provider) {
  for (MethodBase* method : consumer.methods()) method->connect(*provider.find_method(method->name()));
}

TEST(MethodTest, AnswersThroughEachConsumersOwnInstance) {
  Oracle provider, first, second;
  provider.ask.bind([](const CallContext& context, const Question& q) -> Result<Answer> {
    return Answer{q.text + " from " + std::string(context.caller)};
  });
  EXPECT_FALSE(first);
  connect(first, provider);
  connect(second, provider);
  EXPECT_TRUE(first);
  EXPECT_EQ(first.ask({.caller = "a"}, {"why"})->text, "why from a");
  EXPECT_EQ(second.ask({.caller = "b"}, {"who"})->text, "who from b");
}

TEST(MethodTest, WithoutAProviderIsUnavailable) {
  Oracle nobody;
  const auto answer = nobody.ask({}, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
  EXPECT_EQ(answer.error().reason, "no_provider");
  Caught<Answer> caught;
  nobody.ask_afar({}, {}, caught.callback());
  ASSERT_TRUE(caught.result);
  EXPECT_EQ(caught.result->error().reason, "no_provider");
}

TEST(MethodTest, PassesErrorsOnUnchanged) {
  Oracle provider, consumer;
  provider.ask.bind([](const CallContext&, const Question&) -> Result<Answer> {
    return unavailable("limit_exceeded", "slower").with_json("retry_after_ms", "5");
  });
  connect(consumer, provider);
  EXPECT_EQ(consumer.ask({}, {}).error(), unavailable("limit_exceeded", "slower").with_json("retry_after_ms", "5"));
}

TEST(MethodTest, CountsCallsErrorsAndTime) {
  Measured measured;
  Oracle provider, consumer;
  provider.ask.bind([&](const CallContext&, const Question& q) -> Result<Answer> {
    measured.clock.advance(std::chrono::milliseconds(3));
    if (q.text.empty()) return not_found("", "");
    return Answer{};
  });
  connect(consumer, provider);
  measured.watch(consumer.ask);
  (void)consumer.ask({}, {"x"});
  (void)consumer.ask({}, {""});
  (void)provider.ask({}, {"not the consumer's"});
  EXPECT_EQ(measured.calls.value(), 2U);
  EXPECT_EQ(measured.errors.value(), 1U);
  EXPECT_EQ(measured.seconds.sum_ns(), 6'000'000U);
}

TEST(MethodTest, DoesNotBeginAfterTheDeadline) {
  Measured measured;
  Oracle oracle;
  int begun = 0;
  oracle.ask.bind([&](const CallContext&, const Question&) -> Result<Answer> {
    ++begun;
    return Answer{};
  });
  oracle.ask_afar.bind([&](const CallContext&, const Question&, const Reply<Answer>& reply) {
    ++begun;
    reply(Answer{});
  });
  measured.watch(oracle.ask);
  measured.watch(oracle.ask_afar);
  const CallContext context{.deadline = measured.clock.now()};
  EXPECT_TRUE(oracle.ask(context, {}));  // at the deadline there is still time
  measured.clock.advance(std::chrono::nanoseconds(1));
  EXPECT_EQ(oracle.ask(context, {}).error().code, ErrorCode::timeout);
  Caught<Answer> caught;
  oracle.ask_afar(context, {}, caught.callback());
  ASSERT_TRUE(caught.result);
  EXPECT_EQ(caught.result->error().code, ErrorCode::timeout);
  EXPECT_EQ(begun, 1);
  EXPECT_EQ(measured.calls.value(), 3U);
  EXPECT_EQ(measured.errors.value(), 2U);
  EXPECT_TRUE(oracle.ask({}, {})) << "no deadline";
}

TEST(MethodTest, StopsExceptions) {
  Measured measured;
  Oracle oracle;
  oracle.ask.bind([](const CallContext&, const Question& q) -> Result<Answer> {
    if (q.text.empty()) throw 1;  // NOLINT
    throw std::runtime_error("boom");
  });
  oracle.ask_afar.bind(
      [](const CallContext&, const Question&, const Reply<Answer>&) { throw std::runtime_error("bang"); });
  measured.watch(oracle.ask);
  const auto known = oracle.ask({}, {"x"});
  ASSERT_FALSE(known);
  EXPECT_EQ(known.error().code, ErrorCode::internal);
  EXPECT_THAT(known.error().text, HasSubstr("ask: boom"));
  EXPECT_EQ(oracle.ask({}, {""}).error().code, ErrorCode::internal);
  EXPECT_EQ(measured.errors.value(), 2U);
  Caught<Answer> caught;
  oracle.ask_afar({}, {}, caught.callback());
  ASSERT_TRUE(caught.result);
  EXPECT_THAT(caught.result->error().text, HasSubstr("bang"));
  EXPECT_EQ(caught.times, 1);
}

TEST(ReplyTest, CountsTheFirstAnswerOnly) {
  Caught<Answer> caught;
  const Reply<Answer> reply(caught.callback());
  const Reply<Answer> copy = reply;
  EXPECT_TRUE(copy(Answer{"first"}));
  EXPECT_FALSE(reply(Answer{"second"}));
  EXPECT_FALSE(reply(internal_error("third")));
  EXPECT_EQ(caught.times, 1);
  EXPECT_EQ((*caught.result)->text, "first");
}

TEST(ReplyTest, DroppedByTheLastHolderIsAnInternalError) {
  Measured measured;
  Oracle oracle;
  std::optional<Reply<Answer>> kept;
  oracle.ask_afar.bind(
      [&](const CallContext&, const Question&, Reply<Answer> reply) { kept.emplace(std::move(reply)); });
  measured.watch(oracle.ask_afar);
  Caught<Answer> caught;
  oracle.ask_afar({}, {}, caught.callback());
  EXPECT_EQ(caught.times, 0) << "somebody still has it";
  EXPECT_EQ(measured.calls.value(), 0U) << "a call counts when it is answered";
  kept.reset();
  ASSERT_EQ(caught.times, 1);
  EXPECT_EQ(caught.result->error().code, ErrorCode::internal);
  EXPECT_EQ(measured.errors.value(), 1U);
}

TEST(ReplyTest, DroppedReplyWhoseCallerThrowsEndsNothing) {
  {
    const Reply<Answer> reply([](const Result<Answer>&) { throw std::runtime_error("the caller's"); });
  }
  SUCCEED();
}

TEST(InterfaceTest, FindsMethodsByName) {
  Oracle oracle;
  EXPECT_EQ(oracle.find_method("ask_afar"), &oracle.ask_afar);
  EXPECT_TRUE(oracle.ask_afar.deferred());
  EXPECT_EQ(oracle.find_method("asked"), nullptr);
}

#ifndef NDEBUG
TEST(NoCallsDeathTest, CallsAbortWhileSomethingIsHeld) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  Oracle oracle;
  oracle.ask.bind([](const CallContext&, const Question&) -> Result<Answer> { return Answer{}; });
  oracle.ask_afar.bind([](const CallContext&, const Question&, const Reply<Answer>& reply) { reply(Answer{}); });
  EXPECT_DEATH(
      {
        const NoCalls held("a room's lane");
        (void)oracle.ask({}, {});
      },
      "internal call of ask while holding a room's lane");
  EXPECT_DEATH(
      {
        const NoCalls held("a lock");
        oracle.ask_afar({}, {}, [](const Result<Answer>&) {});
      },
      "ask_afar while holding a lock");
  {
    const NoCalls outer("outer");
    { const NoCalls inner("inner"); }
    EXPECT_DEATH((void)oracle.ask({}, {}), "while holding outer") << "the inner one's end does not end the outer";
  }
  EXPECT_TRUE(oracle.ask({}, {}));
}
#endif

}  // namespace
}  // namespace backplane::api::test
