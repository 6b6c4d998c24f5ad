#include <deque>
#include <memory>
#include <vector>

#include "host/runtime/process_limits.h"
#include "unit/host/http/test_server.h"

namespace backplane::host::test {
namespace {

using http::Method;
using http::Responder;
using http::Response;
using namespace std::chrono_literals;

class ParkingTest : public HttpServerTest {
 protected:
  void park_all() {
    parking("/sync", [this](const http::Request&, Responder responder) {
      const std::lock_guard lock(mutex_);
      parked_.push_back(std::move(responder));
    });
  }
  bool has_parked(std::size_t count) {
    return eventually([this, count] {
      const std::lock_guard lock(mutex_);
      return parked_.size() == count;
    });
  }
  Responder take() {
    const std::lock_guard lock(mutex_);
    Responder responder = parked_.front();
    parked_.pop_front();
    return responder;
  }
  static void ask(TestClient& client) { client.send("GET /sync HTTP/1.1\r\nHost: x\r\n\r\n"); }

  std::mutex mutex_;
  std::deque<Responder> parked_;
};

TEST_F(ParkingTest, AnyThreadCompletesOnce) {
  park_all();
  start();
  TestClient one = client();
  for (int round = 0; round < 3; ++round) {
    ask(one);
    ASSERT_TRUE(has_parked(1));
    const Responder responder = take();
    EXPECT_FALSE(responder.completed());
    std::atomic<int> counted = 0;
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 4; ++i) {
        threads.emplace_back(
            [&responder, &counted] { counted += responder.complete(Response::json("\"done\"")) ? 1 : 0; });
      }
    }
    EXPECT_EQ(counted, 1);
    EXPECT_TRUE(responder.completed());
    EXPECT_EQ(one.receive().body, "\"done\"");
  }
}

TEST_F(ParkingTest, ADroppedResponderAnswers) {
  park_all();
  start();
  TestClient one = client();
  ask(one);
  ASSERT_TRUE(has_parked(1));
  parked_.clear();
  EXPECT_EQ(one.receive().status, 500);
  EXPECT_TRUE(log.has("a responder was dropped without an answer"));
}

TEST_F(ParkingTest, AHangUpIsNoticed) {
  park_all();
  start();
  TestClient one = client();
  ask(one);
  ASSERT_TRUE(has_parked(1));
  const Responder responder = take();
  std::atomic<int> gone = 0;
  responder.on_abandoned([&gone] { ++gone; });
  EXPECT_EQ(gone, 0);
  one.hang_up();
  EXPECT_TRUE(eventually([&gone] { return gone == 1; }));
  responder.on_abandoned([&gone] { ++gone; });
  EXPECT_EQ(gone, 2) << "it has gone already";
  EXPECT_TRUE(responder.complete(Response::json("{}")));
  responder.on_abandoned([&gone] { ++gone; });
  EXPECT_EQ(gone, 2) << "not after a completion";
  EXPECT_TRUE(eventually([this] { return server().connections() == 0; }));
}

TEST_F(ParkingTest, WhoHasGoneMissesNoAnswer) {
  park_all();
  start();
  TestClient one = client();
  ask(one);
  ASSERT_TRUE(has_parked(1));
  std::atomic<bool> gone = false;
  {
    const Responder responder = take();
    responder.on_abandoned([&gone] { gone = true; });
    one.hang_up();
    EXPECT_TRUE(eventually([&gone] { return gone.load(); }));
  }
  EXPECT_FALSE(log.has("a responder was dropped without an answer"));
}

TEST_F(ParkingTest, AnAbandonedResponderMayBeDropped) {
  park_all();
  start();
  TestClient one = client();
  ask(one);
  ASSERT_TRUE(has_parked(1));
  take().on_abandoned([] {});
  // The callback above holds nothing; the last copy was the one that take() gave.
  EXPECT_EQ(one.receive().status, 500);
}

TEST_F(ParkingTest, TheNextRequestMayComeWhileOneIsParked) {
  park_all();
  route(Method::get, "/next", says("2"));
  start();
  TestClient one = client();
  ask(one);
  ASSERT_TRUE(has_parked(1));
  one.send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
  std::this_thread::sleep_for(20ms);
  take().complete(Response::json("1"));
  EXPECT_EQ(one.receive().body, "1");
  EXPECT_EQ(one.receive().body, "2");
}

TEST_F(ParkingTest, ThousandsHoldNoThread) {
  ASSERT_GT(raise_open_files_limit(), 4200U);
  constexpr std::size_t count = 2000;
  park_all();
  start();
  std::vector<TestClient> clients;
  for (std::size_t i = 0; i < count; ++i) {
    clients.push_back(client());
    ask(clients.back());
  }
  ASSERT_TRUE(has_parked(count));
  EXPECT_NE(metrics.prometheus_text().find("backplane_http_parked_requests 2000"), std::string::npos);
  for (const Responder& responder : parked_) responder.complete(Response::json("{}"));
  for (TestClient& each : clients) ASSERT_EQ(each.receive().status, 200);
  EXPECT_NE(metrics.prometheus_text().find("backplane_http_parked_requests 0"), std::string::npos);
}

TEST_F(ParkingTest, TooManyAreRefused) {
  config.max_parked = 1;
  park_all();
  start();
  TestClient one = client();
  TestClient two = client();
  ask(one);
  ASSERT_TRUE(has_parked(1));
  ask(two);
  EXPECT_EQ(two.receive().status, 429);
  take().complete(Response::json("1"));
  EXPECT_EQ(one.receive().status, 200);
}

TEST_F(ParkingTest, WhoHasJustConnectedWhenADrainBeginsIsServed) {
  route(Method::get, "/now", [](const http::Request&) { return Response::json("\"now\""); });
  start();
  TestClient talks = client();
  TestClient silent = client();
  server().stop_accepting();
  const Answer answer = talks.get("/now");
  EXPECT_EQ(answer.body, "\"now\"");
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_TRUE(silent.ended());
}

TEST_F(ParkingTest, WhatWasAskedBeforeTheEndIsAnswered) {
  route(Method::get, "/next", says("1"));
  start();
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 32; ++i) clients.push_back(std::make_unique<TestClient>(server().port()));
  for (std::size_t i = 0; i < clients.size(); i += 2) ASSERT_EQ(clients[i]->get("/next").status, 200);
  for (const auto& one : clients) one->send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
  for (int i = 0; i < 32; ++i) {  // these may not even have been accepted
    clients.push_back(std::make_unique<TestClient>(server().port()));
    clients.back()->send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  TestClient silent = client();
  server().stop_accepting();
  for (const auto& one : clients) EXPECT_EQ(one->receive().status, 200);
  EXPECT_TRUE(silent.ended()) << "who says nothing is not waited for";
  EXPECT_TRUE(server().drain(clock->now() + 10s));
}

TEST_F(ParkingTest, WhoWasAnsweredAMomentBeforeADrainMayAskOnceMore) {
  route(Method::get, "/next", says("1"));
  start();
  TestClient quick = client();
  TestClient silent = client();
  ASSERT_EQ(quick.get("/next").status, 200);
  ASSERT_EQ(silent.get("/next").status, 200);
  server().stop_accepting();
  std::this_thread::sleep_for(20ms);  // a proxy that has not heard of it
  const Answer answer = quick.get("/next");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_TRUE(silent.ended());
  EXPECT_TRUE(server().drain(clock->now() + 10s));
}

TEST_F(ParkingTest, DrainAnswersEverybody) {
  park_all();
  route(Method::get, "/slow", [](const http::Request&) {
    std::this_thread::sleep_for(50ms);
    return Response::json("\"slow\"");
  });
  start();
  TestClient idle = client();
  TestClient slow = client();
  TestClient kept = client();
  TestClient forgotten = client();
  ASSERT_EQ(idle.get("/slow").status, 200);
  ask(kept);
  ASSERT_TRUE(has_parked(1));
  ask(forgotten);
  ASSERT_TRUE(has_parked(2));
  slow.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(eventually([this] { return server().connections() == 4; }));
  std::this_thread::sleep_for(10ms);
  server().stop_accepting();
  EXPECT_TRUE(idle.ended());
  EXPECT_FALSE(client().connected());
  take().complete(Response::json("{}"));  // as a plugin does in drain()
  const Answer empty = kept.receive();
  EXPECT_EQ(empty.body, "{}");
  EXPECT_EQ(empty.headers.at("connection"), "close");
  EXPECT_FALSE(server().drain(clock->now() + 200ms));
  EXPECT_EQ(slow.receive().body, "\"slow\"");
  const Answer late = forgotten.receive();
  EXPECT_EQ(late.status, 503);
  EXPECT_NE(late.body.find("M_UNKNOWN"), std::string::npos);
  server().stop();
  EXPECT_FALSE(take().complete(Response::json("{}")));
}

TEST_F(ParkingTest, ARespondersLifeMayBeLonger) {
  park_all();
  start();
  TestClient one = client();
  ask(one);
  ASSERT_TRUE(has_parked(1));
  server().stop();
  EXPECT_TRUE(one.ended());
  take().complete(Response::json("{}"));
}

}  // namespace
}  // namespace backplane::host::test
