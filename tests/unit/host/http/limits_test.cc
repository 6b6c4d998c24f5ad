#include <atomic>
#include <thread>

#include "unit/host/http/test_server.h"

namespace backplane::host::test {
namespace {

using http::Method;
using namespace std::chrono_literals;

class LimitsTest : public HttpServerTest {
 protected:
  LimitsTest() {
    route(Method::post, "/small",
          [](const http::Request& request) { return http::Response::json(std::to_string(request.body.size())); },
          {http::Authentication::none, 100, http::RateClass::none});
    route(Method::post, "/none",
          [](const http::Request& request) { return http::Response::json(std::to_string(request.body.size())); },
          {http::Authentication::none, http::no_body, http::RateClass::none});
  }
  Answer answer_to(const std::string& bytes) {
    TestClient one = client();
    one.send(bytes);
    return one.receive();
  }
};

TEST_F(LimitsTest, OfTheBody) {
  start();
  TestClient one = client();
  EXPECT_EQ(one.request("POST", "/small", std::string(100, 'x')).body, "100");
  const Answer large = one.request("POST", "/small", std::string(101, 'x'));
  EXPECT_EQ(large.status, 413);
  EXPECT_NE(large.body.find("M_TOO_LARGE"), std::string::npos);
  EXPECT_TRUE(one.ended());
  // The length is believed before the body comes.
  EXPECT_EQ(answer_to("POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n").status, 413);
  EXPECT_EQ(answer_to("POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n" +
                      std::string(100, 'x') + "\r\n1\r\nx\r\n0\r\n\r\n")
                .status,
            413);
  EXPECT_EQ(answer_to("POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n").status,
            413);
}

TEST_F(LimitsTest, ARouteWithoutABodyDropsASmallOne) {
  start();
  TestClient one = client();
  EXPECT_EQ(one.request("POST", "/none", "{}").body, "0");
  EXPECT_EQ(one.request("POST", "/none", "").body, "0");
  EXPECT_EQ(one.request("POST", "/none", std::string(100'000, 'x')).status, 413);
}

TEST_F(LimitsTest, OfTheHeader) {
  start();
  const std::string first = "POST /small HTTP/1.1\r\nHost: x\r\n";
  EXPECT_EQ(answer_to(first + "A: " + std::string(15'000, 'x') + "\r\n\r\n").status, 200);
  const Answer large = answer_to(first + "A: " + std::string(17'000, 'x') + "\r\n\r\n");
  EXPECT_EQ(large.status, 431);
  EXPECT_EQ(large.headers.at("access-control-allow-origin"), "*");
  std::string many;
  for (int i = 0; i < 101; ++i) many += "A: b\r\n";
  EXPECT_EQ(answer_to(first + many + "\r\n").status, 431);
  EXPECT_EQ(answer_to("POST /" + std::string(8'200, 'x') + " HTTP/1.1\r\nHost: x\r\n\r\n").status, 414);
  EXPECT_EQ(answer_to("POST /" + std::string(40'000, 'x')).status, 414);
}

TEST_F(LimitsTest, BrokenRequests) {
  start();
  for (const char* bytes : {
           "hello\r\n\r\n",
           "\x16\x03\x01\x02 a TLS handshake that came to the wrong port\r\n\r\n",
           "GET / HTTP/2.0\r\nHost: x\r\n\r\n",
           "GET / HTTP/1.1\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
           "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
           "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
           "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
           "POST /small HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
           "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
           "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
       }) {
    TestClient one = client();
    one.send(bytes);
    EXPECT_EQ(one.receive().status, 400) << bytes;
    EXPECT_TRUE(one.ended()) << bytes;
  }
  EXPECT_EQ(answer_to("POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n").status, 501);
}

TEST_F(LimitsTest, ATrailerHasAnEnd) {
  start();
  TestClient one = client();
  one.send("POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: " + std::string(40'000, 'x'));
  EXPECT_EQ(one.receive().status, 400);
}

// A client reads its answer when it has sent its request, as most of them do.
TEST_F(LimitsTest, AClientThatGoesOnSendingGetsItsAnswer) {
  start();
  const std::string megabyte(1 << 20, 'x');
  for (const char* header :
       {"POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 33554432\r\n\r\n",
        "POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 33554432\r\n\r\n",
        "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2000000\r\n",
        "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 33554432\r\n\r\n", "no HTTP at all\r\n\r\n"}) {
    TestClient one = client();
    one.send(header);
    for (int i = 0; i < 32; ++i) ASSERT_TRUE(one.send(megabyte)) << header << "after " << i << " MiB";
    const Answer answer = one.receive();
    EXPECT_TRUE(answer.status == 413 || answer.status == 404 || answer.status == 400) << header << answer.status;
    EXPECT_EQ(answer.headers.at("connection"), "close") << header;
    EXPECT_TRUE(one.ended());
    one.hang_up();
    EXPECT_TRUE(eventually([this] { return server().connections() == 0; })) << header;
  }
}

class LingeringTest : public HttpServerTest {
 protected:
  /// A client that was refused, and has its answer.
  TestClient refused() {
    route(Method::post, "/", says("{}"));
    start();
    TestClient one = client();
    one.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n");
    EXPECT_EQ(one.receive().status, 413);
    return one;
  }
  bool is_rid_of_it() {
    return eventually([this] { return server().connections() == 0; });
  }
};

TEST_F(LingeringTest, HasAnEndInBytes) {
  config.max_body_bytes = 1 << 20;
  TestClient one = refused();
  const std::string megabyte(1 << 20, 'x');
  int taken = 0;  // by the system's buffers, most of it
  while (taken < 32 && one.send(megabyte)) ++taken;
  EXPECT_LT(taken, 32);
  EXPECT_TRUE(is_rid_of_it());
}

TEST_F(LingeringTest, HasAnEndInTime) {
  config.body_timeout = 300ms;
  TestClient one = refused();
  EXPECT_TRUE(eventually([&one] { return !one.send("x"); }));  // it is never silent for long
  EXPECT_TRUE(is_rid_of_it());
}

TEST_F(LingeringTest, EndsWithTheServer) {
  TestClient one = refused();
  std::atomic<bool> closed = false;
  std::thread goes_on([&] { closed = eventually([&one] { return !one.send("x"); }); });
  EXPECT_TRUE(server().drain(clock->now() + 9s));  // body_timeout is longer
  goes_on.join();
  EXPECT_TRUE(closed);
}

TEST(SlowClient, IsAnsweredOrCutOff) {
  // Timeouts by a clock that the test moves; the listener looks at it every few milliseconds.
  ManualClock clock;
  MetricsRegistry metrics;
  RecordingSink log;
  HttpConfig config;
  config.listeners.emplace_back();
  config.listeners[0].port = 0;
  config.listeners[0].serves = Surfaces::all();
  config.header_timeout = 80ms;
  config.body_timeout = 200ms;
  config.idle_timeout = 400ms;
  HttpServer server(config, clock, system_random(), metrics.view("http"), log.logger("http"));
  ASSERT_TRUE(server.add_route("p", http::Surface::client, Method::post, "/", open_route, nullptr, says("{}")));
  ASSERT_TRUE(server.start());

  TestClient idle(server.port());
  ASSERT_EQ(idle.request("POST", "/", "{}").status, 200);
  TestClient slow_header(server.port());
  slow_header.send("POST / HTTP/1.1\r\nHo");
  TestClient slow_body(server.port());
  slow_body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_EQ(slow_body.receive().status, 100);
  ASSERT_TRUE(eventually([&server] { return server.connections() == 3; }));
  std::this_thread::sleep_for(20ms);  // the bytes of slow_header are read
  clock.advance(100ms);
  EXPECT_EQ(slow_header.receive().status, 408);
  EXPECT_TRUE(slow_header.ended());
  slow_body.send("{");
  clock.advance(120ms);
  EXPECT_EQ(slow_body.receive().status, 408);
  EXPECT_EQ(idle.request("POST", "/", "{}").status, 200);
  std::this_thread::sleep_for(20ms);  // the connection is waiting again
  clock.advance(500ms);
  EXPECT_TRUE(idle.ended());
}

TEST_F(LimitsTest, OfConnections) {
  config.listeners[0].max_connections = 2;
  HttpServer few(config, *clock, system_random(), metrics.view("few"), log.logger("http"));
  ASSERT_TRUE(few.add_route("p", http::Surface::client, Method::get, "/", open_route, nullptr, says("{}")));
  ASSERT_TRUE(few.start());
  TestClient one(few.port());
  TestClient two(few.port());
  EXPECT_EQ(one.get("/").status, 200);
  EXPECT_EQ(two.get("/").status, 200);
  TestClient three(few.port());
  EXPECT_EQ(three.receive().status, 503);
  one.hang_up();
  ASSERT_TRUE(eventually([&few] { return few.connections() == 1; }));
  TestClient four(few.port());
  EXPECT_EQ(four.get("/").status, 200);
}

}  // namespace
}  // namespace backplane::host::test
