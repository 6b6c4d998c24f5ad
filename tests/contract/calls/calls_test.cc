// A call by a consumer that cannot tell where its provider is.
#include <gtest/gtest.h>

#include <future>

#include "support/internal_hosts.h"

namespace backplane::host::test {
namespace {

enum class Shape : std::uint8_t { local, remote, two_owners };

/// A provider that says on which host it is.
struct Provider {
  explicit Provider(std::string host) : name(std::move(host)) {
    greeter.greet.bind([this](const api::CallContext& c, const GreetRequest& r) { return greet(c, r); });
    greeter.greet_once.bind([this](const api::CallContext& c, const GreetRequest& r) { return greet(c, r); });
    greeter.greet_later.bind(
        [this](const api::CallContext& context, const GreetRequest& request, api::Reply<GreetResponse> reply) {
          later = std::async(std::launch::async, [this, reply, request, caller = std::string(context.caller)] {
            reply(greet({.caller = caller}, request));
          });
        });
    greeter.greet_room.bind([this](const api::CallContext& context, const GreetRoomRequest& request) {
      return greet(context, {request.place.room_id, {}, {}});
    });
    greeter.greet_room_later.bind([this](const api::CallContext& context, const GreetRoomRequest& request,
                                         const api::Reply<GreetResponse>& reply) {
      reply(greet(context, {request.place.room_id, {}, {}}));
    });
  }

  Result<GreetResponse> greet(const api::CallContext& context, const GreetRequest& request) const {
    if (request.name == "nobody")
      return not_found("nobody_there", "there is nobody").with("hint", "ask \"again\"").with_json("tries", "3");
    if (request.name == "thrower") throw std::runtime_error("out of breath");
    return GreetResponse{
        "hello " + request.name + " " + request.attachment.text + " " + std::to_string(request.count.value_or(-1)),
        std::string(context.caller), context.request_id.str(), name};
  }

  const std::string name;
  Greeter greeter;
  std::future<void> later;
};

struct CallsTest : ::testing::TestWithParam<Shape> {
  CallsTest() {
    if (GetParam() == Shape::local) {
      for (std::size_t i = 0; i < consumer.methods().size(); ++i)
        consumer.methods()[i]->connect(*one.greeter.methods()[i]);
      return;
    }
    serving.push_back(std::make_unique<ServingHost>("one", one.greeter, &store_of_one, ServingHost::Options{}));
    std::vector<CallRouter::Provider> providers{{"one", &calling.host("one", serving[0]->url())}};
    if (GetParam() == Shape::two_owners) {
      for (std::uint16_t shard = 0; shard < log::lane_count; ++shard)  // not as anybody would guess
        shards.give(shard, shard % 3 == 0 ? "one" : "two");
      serving.push_back(std::make_unique<ServingHost>("two", two.greeter, &store_of_two, ServingHost::Options{}));
      providers.push_back({"two", &calling.host("two", serving[1]->url())});
    }
    calling.router(std::move(providers)).bind(consumer);
  }
  ~CallsTest() override { calling.stop(); }

  static api::CallContext context() {
    return {.deadline = system_clock().now() + std::chrono::seconds(20),
            .stop = {},
            .request_id = RequestId("r-1"),
            .caller = "tester"};
  }

  Provider one{"one"}, two{"two"};
  Shards shards{"one"};
  OwnedStore store_of_one{shards, "one"}, store_of_two{shards, "two"};
  std::vector<std::unique_ptr<ServingHost>> serving;
  CallingHost calling;
  Greeter consumer;
};

TEST_P(CallsTest, CarriesRequestResponseAndContext) {
  const auto answer = consumer.greet(context(), {"you", json::Raw{R"({"a":[1,"é"]})"}, 7});
  ASSERT_TRUE(answer.ok()) << answer.error().text;
  EXPECT_EQ(answer->text, R"(hello you {"a":[1,"é"]} 7)");
  EXPECT_EQ(answer->caller, "tester");
  EXPECT_EQ(answer->request_id, "r-1");
}

TEST_P(CallsTest, CarriesLargeThings) {
  const std::string large = "\"" + std::string(3'000'000, 'x') + "\"";
  const auto answer = consumer.greet(context(), {"you", json::Raw{large}, 7});
  ASSERT_TRUE(answer.ok()) << answer.error().text;
  EXPECT_EQ(answer->text, "hello you " + large + " 7");
}

TEST_P(CallsTest, CarriesErrorsUnchanged) {
  const auto answer = consumer.greet(context(), {"nobody", {}, {}});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error(),
            not_found("nobody_there", "there is nobody").with("hint", "ask \"again\"").with_json("tries", "3"));
}

TEST_P(CallsTest, StopsExceptions) {
  const auto answer = consumer.greet(context(), {"thrower", {}, {}});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::internal);
  EXPECT_NE(answer.error().text.find("out of breath"), std::string::npos);
}

TEST_P(CallsTest, RefusesWhatIsPastItsDeadline) {
  api::CallContext late = context();
  late.deadline = system_clock().now() - std::chrono::seconds(1);
  Counter calls, errors;
  Histogram seconds;
  consumer.greet.measure(&calls, &errors, &seconds, &system_clock(), "tester");
  const auto answer = consumer.greet(late, {"you", {}, {}});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::timeout);
  EXPECT_EQ(errors.value(), 1U);
}

TEST_P(CallsTest, DeferredCallsAnswerLater) {
  std::promise<Result<GreetResponse>> promise;
  consumer.greet_later(context(), {"later", {}, 1}, [&](Result<GreetResponse> r) { promise.set_value(std::move(r)); });
  const auto answer = promise.get_future().get();
  ASSERT_TRUE(answer.ok()) << answer.error().text;
  EXPECT_EQ(answer->text, "hello later  1");
}

TEST_P(CallsTest, CallsByKeyReachTheOwner) {
  for (int i = 0; i < 100; ++i) {
    const std::string room = "!room" + std::to_string(i) + ":test";
    const std::string owner = GetParam() == Shape::local ? "one" : shards.owner(log::lane_of(room));
    const auto answer = consumer.greet_room(context(), {{room}});
    ASSERT_TRUE(answer.ok()) << answer.error().text;
    EXPECT_EQ(answer->host, owner);
    std::promise<Result<GreetResponse>> later;
    consumer.greet_room_later(context(), {{room}}, [&](Result<GreetResponse> r) { later.set_value(std::move(r)); });
    const auto answer_later = later.get_future().get();
    ASSERT_TRUE(answer_later.ok()) << answer_later.error().text;
    EXPECT_EQ(answer_later->host, owner);
    EXPECT_EQ(answer_later->text, "hello " + room + "  -1");
  }
}

TEST_P(CallsTest, ManyAtOnce) {
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 32; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        const std::string room = "!" + std::to_string(t) + "-" + std::to_string(i);
        const auto answer = consumer.greet_room(context(), {{room}});
        if (answer.ok() && answer->text == "hello " + room + "  -1") right.fetch_add(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right.load(), 32 * 20);
}

INSTANTIATE_TEST_SUITE_P(Calls, CallsTest, ::testing::Values(Shape::local, Shape::remote, Shape::two_owners),
                         [](const auto& param) {
                           return param.param == Shape::local    ? "Local"
                                  : param.param == Shape::remote ? "Remote"
                                                                 : "TwoOwners";
                         });

}  // namespace
}  // namespace backplane::host::test
