// A server on 127.0.0.1 with a port of the system's choice, and what a test gives it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "backplane/base/clock.h"
#include "backplane/base/random.h"
#include "host/http/listener.h"
#include "host/observe/metrics_registry.h"
#include "unit/host/http/http_client.h"
#include "unit/host/test_parts.h"

namespace backplane::host::test {

inline constexpr http::RouteOptions open_route{http::Authentication::none, http::small_body, http::RateClass::none};

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServerTest() { config.listeners.push_back(local(Surfaces::all())); }

  static ListenerConfig local(Surfaces serves) {
    ListenerConfig listener;
    listener.port = 0;
    listener.serves = serves;
    return listener;
  }
  HttpServer& server() {
    if (!server_)
      server_ = std::make_unique<HttpServer>(config, *clock, system_random(), metrics.view("http"), log.logger("http"));
    return *server_;
  }
  void route(http::Method method, std::string_view pattern, http::Handler handler,
             http::RouteOptions options = open_route, http::Surface surface = http::Surface::client,
             http::Authenticator* authenticator = nullptr) {
    const auto added =
        server().add_route("plugin_a", surface, method, pattern, options, authenticator, std::move(handler));
    ASSERT_TRUE(added) << added.error().text;
  }
  void parking(std::string_view pattern, http::ParkingHandler handler) {
    const auto added = server().add_parking_route("plugin_b", http::Surface::client, http::Method::get, pattern,
                                                  open_route, nullptr, std::move(handler));
    ASSERT_TRUE(added) << added.error().text;
  }
  void start() {
    const auto started = server().start();
    ASSERT_TRUE(started) << started.error().text;
  }
  TestClient client(std::size_t listener = 0) { return TestClient(server().port(listener)); }

  HttpConfig config;
  ManualClock manual;
  Clock* clock = &system_clock();
  MetricsRegistry metrics;
  RecordingSink log;

 private:
  std::unique_ptr<HttpServer> server_;
};

inline http::Handler says(std::string text) {
  return [text = std::move(text)](const http::Request&) { return http::Response::json(text); };
}

}  // namespace backplane::host::test
