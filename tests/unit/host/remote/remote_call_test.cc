// The same interface called in this process and through HTTP: the caller cannot tell the difference.
#include <gtest/gtest.h>

#include <future>

#include "backplane/api/method.h"
#include "backplane/testing/temporary_database.h"
#include "host/http/listener.h"
#include "host/observe/metrics_registry.h"
#include "host/remote/remote_call.h"
#include "host/remote/remote_client.h"
#include "host/remote/remote_server.h"
#include "host/runtime/worker_pool.h"

namespace backplane::host {
namespace {

struct GreetRequest {
  std::string name;
  json::Raw attachment;
  std::optional<std::int64_t> count;
};
BACKPLANE_FIELDS(GreetRequest, name, attachment, count);
struct GreetResponse {
  std::string text;
  std::vector<std::string> caller_and_id;
};
BACKPLANE_FIELDS(GreetResponse, text, caller_and_id);

struct Greeter : api::Interface {
  static constexpr std::string_view interface_id = "org.example.greeter/1";
  explicit Greeter(std::string_view id = interface_id) : Interface(id) {}
  api::Method<GreetRequest, GreetResponse> greet{*this, "greet", {.repeatable = true}};
  api::DeferredMethod<GreetRequest, GreetResponse> greet_later{*this, "greet_later"};
};

struct OtherGreeter : api::Interface {
  OtherGreeter() : Interface(Greeter::interface_id) {}
  api::Method<GreetRequest, GreetRequest> greet{*this, "greet", {.repeatable = true}};
};

Result<GreetResponse> greet(const api::CallContext& context, const GreetRequest& request) {
  if (request.name == "nobody") return not_found("nobody_there", "there is nobody").with("hint", "ask \"again\"").with_json("tries", "3");
  if (request.name == "thrower") throw std::runtime_error("out of breath");
  return GreetResponse{"hello " + request.name + " " + request.attachment.text + " " + std::to_string(request.count.value_or(-1)),
                       {std::string(context.caller), context.request_id.str()}};
}

/// Parameter: whether the consumer is on another host.
class CallTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    provider.greet.bind(greet);
    provider.greet_later.bind([](const api::CallContext& context, const GreetRequest& request, api::Reply<GreetResponse> reply) {
      later = std::async(std::launch::async, [=, caller = std::string(context.caller)] { reply(greet({.caller = caller}, request)); });
    });
    start_server(secret);
    connect(consumer, secret);
  }
  void TearDown() override {
    deferred.stop();
    if (http) http->stop();
    if (later.valid()) later.wait();
  }

  void start_server(const std::string& server_secret) {
    if (!GetParam()) return;
    HttpConfig config;
    config.listeners.push_back({.address = "127.0.0.1", .port = 0, .tls = {}, .serves = {http::Surface::internal}});
    http = std::make_unique<HttpServer>(config, system_clock(), system_random(), metrics.view("http"), testing::quiet_logger());
    server = std::make_unique<RemoteServer>(server_secret, system_clock());
    server->serve(provider);
    ASSERT_TRUE(server->add_route(*http).ok());
    ASSERT_TRUE(http->start().ok());
  }
  void connect(api::Interface& instance, const std::string& client_secret) {
    if (!GetParam()) {
      for (std::size_t i = 0; i < instance.methods().size(); ++i) instance.methods()[i]->connect(*provider.methods()[i]);
      return;
    }
    client = std::make_unique<RemoteClient>("http://127.0.0.1:" + std::to_string(http->port()), client_secret, system_clock(), deferred);
    client->bind(instance);
  }
  static api::CallContext context() {
    return {.deadline = system_clock().now() + std::chrono::seconds(20), .stop = {}, .request_id = RequestId("r-1"), .caller = "tester"};
  }

  static std::future<void> later;
  const std::string secret = "not to be guessed";
  MetricsRegistry metrics;
  WorkerPool deferred{{.name = "remote", .max_threads = 2}, system_clock(), testing::quiet_logger()};
  Greeter provider, consumer;
  std::unique_ptr<HttpServer> http;
  std::unique_ptr<RemoteServer> server;
  std::unique_ptr<RemoteClient> client;
};
std::future<void> CallTest::later;

TEST_P(CallTest, CarriesRequestResponseAndContext) {
  const auto answer = consumer.greet(context(), {"you", json::Raw{R"({"a":[1,"é"]})"}, 7});
  ASSERT_TRUE(answer.ok()) << answer.error().text;
  EXPECT_EQ(answer->text, R"(hello you {"a":[1,"é"]} 7)");
  EXPECT_EQ(answer->caller_and_id, (std::vector<std::string>{"tester", "r-1"}));
}

TEST_P(CallTest, CarriesErrorsUnchanged) {
  const auto answer = consumer.greet(context(), {"nobody", {}, {}});
  ASSERT_FALSE(answer.ok());
  const Error expected = not_found("nobody_there", "there is nobody").with("hint", "ask \"again\"").with_json("tries", "3");
  EXPECT_EQ(answer.error(), expected);
}

TEST_P(CallTest, StopsExceptions) {
  const auto answer = consumer.greet(context(), {"thrower", {}, {}});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::internal);
  EXPECT_NE(answer.error().text.find("out of breath"), std::string::npos);
}

TEST_P(CallTest, RefusesWhatIsPastItsDeadline) {
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

TEST_P(CallTest, DeferredCallsAnswerLater) {
  std::promise<Result<GreetResponse>> promise;
  consumer.greet_later(context(), {"later", {}, 1}, [&](Result<GreetResponse> r) { promise.set_value(std::move(r)); });
  const auto answer = promise.get_future().get();
  ASSERT_TRUE(answer.ok()) << answer.error().text;
  EXPECT_EQ(answer->text, "hello later  1");
}

INSTANTIATE_TEST_SUITE_P(LocalAndRemote, CallTest, ::testing::Bool(), [](const auto& param) { return param.param ? "Remote" : "Local"; });

class RemoteCallTest : public CallTest {};

TEST_P(RemoteCallTest, NeedsTheSharedSecret) {
  Greeter stranger;
  connect(stranger, "a guess");
  const auto answer = stranger.greet(context(), {"you", {}, {}});
  ASSERT_FALSE(answer.ok());
}

TEST_P(RemoteCallTest, RefusesAnotherDescriptionOfTheInterface) {
  OtherGreeter other;
  connect(other, secret);
  const auto answer = other.greet(context(), {"you", {}, {}});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().reason, "fingerprint");
  EXPECT_NE(answer.error().text.find(provider.fingerprint()), std::string::npos);
}

TEST_P(RemoteCallTest, SaysThatTheHostIsAway) {
  http->stop();
  const auto answer = consumer.greet(context(), {"you", {}, {}});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().reason, "host_unreachable");
}

INSTANTIATE_TEST_SUITE_P(Remote, RemoteCallTest, ::testing::Values(true));

}  // namespace
}  // namespace backplane::host
