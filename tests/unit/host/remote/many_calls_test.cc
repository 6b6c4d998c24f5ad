// Many calls at once: hosts that call each other with all their threads, and deferred calls that nobody answers.
#include <gtest/gtest.h>

#include <filesystem>
#include <future>

#include "support/internal_hosts.h"
#include "unit/host/test_parts.h"

namespace backplane::host::test {
namespace {

using namespace std::chrono_literals;

/// A host with few threads whose `greet` asks the other host's `greet_once`, on the thread that serves it.
struct Caller {
  explicit Caller(const std::string& name) {
    provider.greet.bind([this](const api::CallContext& context, const GreetRequest& request) {
      return other.greet_once(context, request);
    });
    provider.greet_once.bind([name](const api::CallContext&, const GreetRequest& request) -> Result<GreetResponse> {
      return GreetResponse{"hello " + request.name, "", "", name};
    });
    ServingHost::Options options;
    options.threads = 8;
    serving = std::make_unique<ServingHost>(name, provider, nullptr, options);
  }
  void meet(const Caller& another) {
    calling.router({{another.serving->name(), &calling.host(another.serving->name(), another.serving->url())}})
        .bind(other);
  }

  Greeter provider, other;
  std::unique_ptr<ServingHost> serving;
  CallingHost calling;
};

TEST(ManyCalls, two_pools_that_call_each_other_do_not_lock_up) {
  Caller one("one"), two("two");
  one.meet(two);
  two.meet(one);
  CallingHost client;
  Greeter to_one, to_two;
  client.router({{"one", &client.host("one", one.serving->url())}}).bind(to_one);
  client.router({{"two", &client.host("two", two.serving->url())}}).bind(to_two);
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 160; ++i) {
    threads.emplace_back([&, i] {
      const Greeter& mine = i % 2 == 0 ? to_one : to_two;
      const auto answer = mine.greet({.deadline = system_clock().now() + 30s}, {"you", {}, {}});
      if (answer.ok() && answer->host == (i % 2 == 0 ? "two" : "one")) ++right;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 160);
}

TEST(ManyCalls, a_circle_of_calls_ends) {
  Caller one("one");
  one.provider.greet_once.bind([&](const api::CallContext& context, const GreetRequest& request) {
    return one.other.greet_once(context, request);
  });
  one.meet(one);
  CallingHost client;
  Greeter mine;
  client.router({{"one", &client.host("one", one.serving->url())}}).bind(mine);
  const auto answer = mine.greet({.deadline = system_clock().now() + 30s}, {"you", {}, {}});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().reason, "too_deep");
}

std::ptrdiff_t threads_of_this_process() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
}

TEST(ManyCalls, deferred_calls_that_wait_hold_no_thread_and_stop_nothing) {
  Greeter provider;
  std::mutex mutex;
  std::vector<api::Reply<GreetResponse>> kept;
  provider.greet_later.bind([&](const api::CallContext&, const GreetRequest&, api::Reply<GreetResponse> reply) {
    const std::lock_guard lock(mutex);
    kept.push_back(std::move(reply));
  });
  provider.greet.bind([](const api::CallContext&, const GreetRequest& request) -> Result<GreetResponse> {
    return GreetResponse{"hello " + request.name, "", "", ""};
  });
  ServingHost::Options options;
  options.threads = 8;
  ServingHost one("one", provider, nullptr, options);
  CallingHost calling;
  Greeter consumer;
  calling.router({{"one", &calling.host("one", one.url())}}).bind(consumer);

  constexpr int count = 500;
  std::atomic<int> answered{0}, right{0};
  const api::CallContext context{.deadline = system_clock().now() + 300s};
  for (int i = 0; i < count; ++i) {
    consumer.greet_later(context, {"you", {}, {}}, [&](const Result<GreetResponse>& result) {
      if (result.ok() && result->text == "at last") ++right;
      ++answered;
    });
  }
  ASSERT_TRUE(eventually([&] {
    const std::lock_guard lock(mutex);
    return kept.size() == count;
  }));
  EXPECT_LE(threads_of_this_process(), 60) << "a thread for each would be hundreds";
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(consumer.greet(context, {"you", {}, {}}).ok());
  EXPECT_EQ(answered, 0);
  std::vector<api::Reply<GreetResponse>> replies;
  {
    const std::lock_guard lock(mutex);
    replies.swap(kept);
  }
  for (std::size_t i = 0; i < count / 2; ++i) replies[i](GreetResponse{"at last", "", "", ""});
  EXPECT_TRUE(eventually([&] { return right == count / 2; }));
  calling.stop();  // what still waits is told
  EXPECT_EQ(answered, count);
  EXPECT_EQ(right, count / 2);
  for (const auto& reply : replies) reply(GreetResponse{"too late", "", "", ""});
}

TEST(ManyCalls, deferred_calls_past_their_deadline_are_told) {
  Greeter provider;
  std::promise<api::Reply<GreetResponse>> kept;
  provider.greet_later.bind([&](const api::CallContext&, const GreetRequest&, api::Reply<GreetResponse> reply) {
    kept.set_value(std::move(reply));
  });
  ServingHost one("one", provider, nullptr, {});
  CallingHost calling;
  Greeter consumer;
  calling.router({{"one", &calling.host("one", one.url())}}).bind(consumer);
  std::promise<Result<GreetResponse>> promise;
  consumer.greet_later({.deadline = system_clock().now() + 200ms}, {"you", {}, {}},
                       [&](Result<GreetResponse> result) { promise.set_value(std::move(result)); });
  const auto answer = promise.get_future().get();
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::timeout);
  kept.get_future().get()(GreetResponse{});
}

}  // namespace
}  // namespace backplane::host::test
