#include <stdexcept>

#include "unit/host/http/test_server.h"

namespace backplane::host::test {
namespace {

using http::Authentication;
using http::Method;
using http::RateClass;
using http::Response;
using http::Surface;
using namespace std::chrono_literals;

/// Takes the token for the name.
class TokenIsName final : public http::Authenticator {
 public:
  Result<std::shared_ptr<const http::Identity>> authenticate(const http::Request& request,
                                                             Authentication level) override {
    const std::string token = request.access_token();
    if (token.empty() && level == Authentication::optional) return std::shared_ptr<const http::Identity>();
    if (token.empty()) return denied("missing_token", "Missing access token");
    if (token == "throw") throw std::runtime_error("no database");
    auto identity = std::make_shared<http::Identity>();
    identity->rate_key = token;
    identity->rate_limited = token != "bridge";
    return std::shared_ptr<const http::Identity>(identity);
  }
};

class DispatchTest : public HttpServerTest {
 protected:
  static std::string bearer(const std::string& token) { return "Authorization: Bearer " + token + "\r\n"; }
  TokenIsName tokens;
};

TEST_F(DispatchTest, AuthenticatesFirst) {
  const auto who = [](const http::Request& request) {
    return Response::json(request.identity ? "\"" + request.identity->rate_key + "\"" : "null");
  };
  route(Method::get, "/required", who, {Authentication::required, 0, RateClass::none}, Surface::client, &tokens);
  route(Method::get, "/optional", who, {Authentication::optional, 0, RateClass::none}, Surface::client, &tokens);
  start();
  TestClient one = client();
  const Answer refused = one.get("/required");
  EXPECT_EQ(refused.status, 401);
  EXPECT_NE(refused.body.find("M_MISSING_TOKEN"), std::string::npos);
  EXPECT_EQ(one.get("/required", bearer("ann")).body, "\"ann\"");
  EXPECT_EQ(one.get("/optional").body, "null");
  EXPECT_EQ(one.get("/required", bearer("throw")).status, 500);
  EXPECT_TRUE(log.has("a handler threw an exception plugin=plugin_a route=/required"));
}

TEST_F(DispatchTest, ARouteWithAuthenticationNeedsAnAuthenticator) {
  const auto added = server().add_route("p", Surface::client, Method::get, "/",
                                        {Authentication::required, 0, RateClass::none}, nullptr, says("1"));
  EXPECT_EQ(added.error().text, "Plugin p declared the route GET / with authentication, but gave no authenticator");
}

TEST_F(DispatchTest, DuplicateRoutesNameBothPlugins) {
  ASSERT_TRUE(server().add_route("a", Surface::client, Method::get, "/x/{y}", open_route, nullptr, says("1")));
  const auto added = server().add_route("b", Surface::client, Method::get, "/x/{z}", open_route, nullptr, says("1"));
  EXPECT_EQ(added.error().text, "Plugins a and b both declare GET /x/{z} (as /x/{y})");
}

TEST_F(DispatchTest, LimitsRates) {
  config.rate_limits.read = {1, 2};
  const http::RouteOptions options{Authentication::optional, 0, RateClass::read};
  route(Method::get, "/", says("{}"), options, Surface::client, &tokens);
  start();
  TestClient one = client();
  EXPECT_EQ(one.get("/", bearer("ann")).status, 200);
  EXPECT_EQ(one.get("/", bearer("ann")).status, 200);
  const Answer limited = one.get("/", bearer("ann"));
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(limited.headers.at("retry-after"), "1");
  EXPECT_NE(limited.body.find("\"errcode\":\"M_LIMIT_EXCEEDED\""), std::string::npos);
  EXPECT_NE(limited.body.find("\"retry_after_ms\":"), std::string::npos);
  EXPECT_EQ(one.get("/", bearer("bob")).status, 200);
  EXPECT_EQ(one.get("/").status, 200) << "by address";
  for (int i = 0; i < 5; ++i) EXPECT_EQ(one.get("/", bearer("bridge")).status, 200);
}

TEST_F(DispatchTest, StopsExceptions) {
  route(Method::get, "/std", [](const http::Request&) -> Result<Response> { throw std::runtime_error("oh no"); });
  route(Method::get, "/other", [](const http::Request&) -> Result<Response> { throw 1; });
  parking("/parking", [](const http::Request&, const http::Responder&) { throw std::runtime_error("parked"); });
  start();
  TestClient one = client();
  for (const char* path : {"/std", "/other", "/parking"}) {
    const Answer answer = one.get(path);
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(answer.body, R"({"errcode":"M_UNKNOWN","error":"Internal server error"})");
  }
  EXPECT_TRUE(log.has("plugin=plugin_a route=/std"));
  EXPECT_TRUE(log.has("what=\"oh no\""));
  EXPECT_NE(metrics.prometheus_text().find(R"(backplane_http_exceptions_total{plugin="plugin_a"} 2)"),
            std::string::npos);
}

TEST_F(DispatchTest, ErrorsBecomeStandardErrors) {
  route(Method::get, "/",
        [](const http::Request&) -> Result<Response> { return invalid("room_in_use", "taken").with("room", "x"); });
  start();
  const Answer answer = client().get("/");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body, R"({"errcode":"M_ROOM_IN_USE","error":"taken","room":"x"})");
}

TEST_F(DispatchTest, AFullQueueRefuses) {
  config.pools.fill({1, 1});
  std::mutex mutex;
  std::unique_lock busy(mutex);
  std::atomic<int> begun = 0;
  const auto wait = [&mutex, &begun](const http::Request&) {
    ++begun;
    const std::lock_guard lock(mutex);
    return Response::json("{}");
  };
  route(Method::get, "/c", wait);
  route(Method::get, "/f", wait, open_route, Surface::federation);
  start();
  for (const auto& [path, status] : {std::pair("/c", 429), std::pair("/f", 503)}) {
    begun = 0;
    TestClient running = client();
    TestClient queued = client();
    TestClient refused = client();
    const std::string request = "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n";
    running.send(request);
    ASSERT_TRUE(eventually([&begun] { return begun == 1; }));
    queued.send(request);
    const std::string surface = status == 429 ? "client" : "federation";
    ASSERT_TRUE(eventually([this, &surface] {
      return metrics.prometheus_text().find("backplane_http_queued_requests{surface=\"" + surface + "\"} 1") !=
             std::string::npos;
    }));
    const Answer answer = refused.get(path);
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.headers.at("retry-after"), "1");
    busy.unlock();
    EXPECT_EQ(running.receive().status, 200);
    EXPECT_EQ(queued.receive().status, 200);
    busy.lock();
  }
}

TEST_F(DispatchTest, AQueuedRequestPastItsDeadlineDoesNotRun) {
  clock = &manual;
  config.pools.fill({1, 10});
  std::mutex mutex;
  std::unique_lock busy(mutex);
  std::atomic<int> ran = 0;
  route(Method::get, "/", [&](const http::Request&) {
    ++ran;
    const std::lock_guard lock(mutex);
    return Response::json("{}");
  });
  start();
  TestClient running = client();
  TestClient queued = client();
  running.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(eventually([&ran] { return ran == 1; }));
  queued.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(eventually([this] {
    return metrics.prometheus_text().find("backplane_http_queued_requests{surface=\"client\"} 1") != std::string::npos;
  }));
  manual.advance(31s);
  busy.unlock();
  EXPECT_EQ(running.receive().status, 200);
  EXPECT_EQ(queued.receive().status, 504);
  EXPECT_EQ(ran, 1);
}

TEST_F(DispatchTest, BelievesTrustedProxiesOnly) {
  config.trusted_proxies = *TrustedProxies::parse({"127.0.0.1", "10.0.0.0/8"});
  route(Method::get, "/", [](const http::Request& request) { return Response::json(request.remote_address); });
  start();
  TestClient one = client();
  EXPECT_EQ(one.get("/").body, "127.0.0.1");
  EXPECT_EQ(one.get("/", "X-Forwarded-For: 6.6.6.6, 192.0.2.7, 10.1.1.1\r\n").body, "192.0.2.7");
}

}  // namespace
}  // namespace backplane::host::test
