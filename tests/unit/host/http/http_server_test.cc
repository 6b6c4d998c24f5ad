#include "unit/host/http/test_server.h"

namespace backplane::host::test {
namespace {

using http::Method;
using http::Surface;

TEST_F(HttpServerTest, AnswersOverOneConnection) {
  route(Method::get, "/hello/{name}", [](const http::Request& request) {
    return http::Response::json("\"" + std::string(request.parameter("name")) + "\"")
        .with_header("X-Query", request.raw_query);
  });
  start();
  TestClient one = client();
  for (int i = 0; i < 3; ++i) {
    const Answer answer = one.get("/hello/%21a%2Fb?x=" + std::to_string(i));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "\"!a/b\"");
    EXPECT_EQ(answer.headers.at("x-query"), "x=" + std::to_string(i));
    EXPECT_EQ(answer.headers.at("content-type"), "application/json");
    EXPECT_TRUE(answer.headers.contains("date"));
  }
  EXPECT_EQ(server().connections(), 1U);
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  route(Method::get, "/{n}", [](const http::Request& request) {
    // The first is the slowest: the others must wait for it.
    if (request.parameter("n") == "0") std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return http::Response::json(std::string(request.parameter("n")));
  });
  start();
  TestClient one = client();
  std::string requests;
  for (int i = 0; i < 20; ++i) requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  one.send(requests);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(one.receive().body, std::to_string(i));
}

TEST_F(HttpServerTest, ReadsBodiesOfKnownLengthAndInChunks) {
  route(Method::put, "/echo",
        [](const http::Request& request) { return http::Response::text("text/plain", request.body); });
  start();
  TestClient one = client();
  EXPECT_EQ(one.request("PUT", "/echo", R"({"a":1})").body, R"({"a":1})");
  const std::string large(200'000, 'x');
  EXPECT_EQ(one.request("PUT", "/echo", large).body, large);
  one.send("PUT /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  one.send("2;ext=1\r\nde\r\n0\r\nTrailer: 1\r\n\r\n");
  EXPECT_EQ(one.receive().body, "abcde");
  // A byte at a time, header and body.
  for (const char c : std::string("PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")) one.send({&c, 1});
  EXPECT_EQ(one.receive().body, "hi");
}

TEST_F(HttpServerTest, SendsLargeAnswers) {
  const std::string large(5'000'000, 'y');
  route(Method::get, "/large", [&large](const http::Request&) { return http::Response::text("x/y", large); });
  start();
  TestClient one = client();
  EXPECT_EQ(one.get("/large").body, large);
  EXPECT_EQ(one.get("/large").body, large);
}

TEST_F(HttpServerTest, HeadIsGetWithoutTheBody) {
  route(Method::get, "/hello", says("\"hello\""));
  start();
  TestClient one = client();
  const Answer head = one.request("HEAD", "/hello", "");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), "7");
  EXPECT_EQ(one.get("/hello").body, "\"hello\"");
}

TEST_F(HttpServerTest, UnknownPathsAndMethods) {
  route(Method::post, "/known", says("{}"));
  start();
  TestClient one = client();
  const Answer unknown = one.get("/unknown");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.body, R"({"errcode":"M_UNRECOGNIZED","error":"Unrecognized request"})");
  EXPECT_EQ(unknown.headers.at("access-control-allow-origin"), "*");
  const Answer wrong = one.request("BREW", "/known", "{}");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_NE(wrong.body.find("M_UNRECOGNIZED"), std::string::npos);
  EXPECT_EQ(wrong.headers.at("allow"), "POST, OPTIONS");
  EXPECT_EQ(one.get("/%zz").status, 400);
  EXPECT_EQ(one.get("/%ff").status, 400);
}

TEST_F(HttpServerTest, AnswersPreflightsWithoutTheHandler) {
  bool called = false;
  route(Method::put, "/known", [&called](const http::Request&) {
    called = true;
    return http::Response::empty_object();
  });
  start();
  TestClient one = client();
  for (const char* path : {"/known", "/unknown"}) {
    const Answer answer = one.request("OPTIONS", path, "");
    EXPECT_EQ(answer.status, 204);
    EXPECT_EQ(answer.headers.at("access-control-allow-origin"), "*");
    EXPECT_EQ(answer.headers.at("access-control-allow-headers"), "X-Requested-With, Content-Type, Authorization");
    EXPECT_NE(answer.headers.at("access-control-allow-methods").find("PUT"), std::string::npos);
  }
  EXPECT_FALSE(called);
}

TEST_F(HttpServerTest, ListenersServeTheirSurfaces) {
  config.listeners = {local({Surface::client}), local({Surface::federation})};
  route(Method::get, "/c", says("1"), open_route, Surface::client);
  route(Method::get, "/f", says("2"), open_route, Surface::federation);
  start();
  EXPECT_EQ(client(0).get("/c").status, 200);
  EXPECT_EQ(client(0).get("/f").status, 404);
  EXPECT_EQ(client(1).get("/c").status, 404);
  const Answer federation = client(1).get("/f");
  EXPECT_EQ(federation.status, 200);
  EXPECT_FALSE(federation.headers.contains("access-control-allow-origin"));
}

TEST_F(HttpServerTest, ClosesWhenAskedTo) {
  route(Method::get, "/", says("1"));
  start();
  TestClient one = client();
  const Answer answer = one.get("/", "Connection: close\r\n");
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_TRUE(one.ended());
  TestClient old = client();
  old.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.receive().status, 200);
  EXPECT_TRUE(old.ended());
}

TEST_F(HttpServerTest, AnswersAClientThatHasShutItsSide) {
  route(Method::get, "/", [](const http::Request&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return http::Response::json("1");
  });
  start();
  TestClient one = client();
  one.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  one.shutdown_write();
  EXPECT_EQ(one.receive().body, "1");
  EXPECT_TRUE(one.ended());
}

TEST_F(HttpServerTest, SaysContinueWhenTheBodyMayCome) {
  route(Method::post, "/", [](const http::Request& request) { return http::Response::json(request.body); });
  start();
  TestClient one = client();
  one.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(one.receive().status, 100);
  one.send("{}");
  EXPECT_EQ(one.receive().body, "{}");
  one.send("POST /unknown HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(one.receive().status, 404);
}

TEST_F(HttpServerTest, HeadersOfHandlersCannotSplitAnswers) {
  route(Method::get, "/", [](const http::Request& request) {
    return http::Response::json("{}").with_header("X-A", *request.query("a")).with_header("Content-Length", "99");
  });
  start();
  const Answer answer = client().get("/?a=1%0D%0ASet-Cookie:%20b");
  EXPECT_EQ(answer.headers.at("x-a"), "1Set-Cookie: b");
  EXPECT_FALSE(answer.headers.contains("set-cookie"));
  EXPECT_EQ(answer.body, "{}");
}

TEST_F(HttpServerTest, APortInUseIsNamed) {
  start();
  HttpConfig second;
  second.listeners = {config.listeners[0]};
  second.listeners[0].port = server().port();
  HttpServer other(second, *clock, system_random(), metrics.view("other"), log.logger("http"));
  const auto started = other.start();
  ASSERT_FALSE(started);
  const std::string port = std::to_string(server().port());
  EXPECT_EQ(started.error().text,
            "Cannot listen on 127.0.0.1:" + port +
                ": Address already in use. Stop the program that uses this port (`ss -ltnp 'sport = :" + port +
                "'` shows it), or set another port in `listeners`");
  second.listeners[0].address = "localhost!";
  HttpServer third(second, *clock, system_random(), metrics.view("third"), log.logger("http"));
  EXPECT_EQ(third.start().error().reason, "bad_address");
}

TEST_F(HttpServerTest, CountsRequestsByRoute) {
  route(Method::get, "/rooms/{id}", says("1"));
  start();
  TestClient one = client();
  one.get("/rooms/a");
  one.get("/rooms/b");
  one.get("/nothing");
  const std::string text = metrics.prometheus_text();
  EXPECT_NE(
      text.find(R"(backplane_http_requests_total{method="GET",plugin="plugin_a",route="/rooms/{id}",status="2xx"} 2)"),
      std::string::npos);
  EXPECT_NE(text.find(R"(backplane_http_requests_without_route_total{status="4xx"} 1)"), std::string::npos);
  EXPECT_NE(text.find("backplane_http_connections 1"), std::string::npos);
  EXPECT_NE(text.find(R"(backplane_http_request_seconds_count{surface="client"} 2)"), std::string::npos);
}

}  // namespace
}  // namespace backplane::host::test
