// The public HTTP server: what plugins' routes are reached through. It parses and limits requests, finds their routes,
// runs them on a pool of workers for each surface, and holds parked requests without a thread. (The operations listener
// is another one, host/observe/ops_listener.h, so that it answers when this one is stuck.)
//
//   HttpServer server(config, clock, random, metrics_view, logger);
//   server.add_route(...);                     // for every plugin, in wire()
//   if (auto started = server.start(); !started) …
//   server.stop_accepting();                   // then the plugins answer what they parked (Plugin::drain)
//   server.drain(deadline);                    // waits for what runs; the rest gets 503
//   server.stop();
//
// add_route before start, on one thread; the rest on any thread. Plugins may not be destroyed before stop() returned.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "backplane/base/clock.h"
#include "backplane/base/logger.h"
#include "backplane/base/metrics.h"
#include "backplane/base/random.h"
#include "backplane/base/result.h"
#include "backplane/http/routes.h"
#include "host/http/http_config.h"

namespace backplane::host {

class HttpServer {
 public:
  /// The references outlive the server; `metrics` is a view for the name "http".
  HttpServer(HttpConfig config, Clock& clock, Random& random, Metrics& metrics, Logger logger);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Errors: invalid/bad_pattern; invalid/no_authenticator; conflict/duplicate_route, naming both plugins.
  Result<void> add_route(std::string_view plugin, http::Surface surface, http::Method method, std::string_view pattern,
                         http::RouteOptions options, http::Authenticator* authenticator, http::Handler handler);
  Result<void> add_parking_route(std::string_view plugin, http::Surface surface, http::Method method,
                                 std::string_view pattern, http::RouteOptions options,
                                 http::Authenticator* authenticator, http::ParkingHandler handler,
                                 PoolChoice pool = {});

  /// Listens on every address, or on none. Errors: unavailable/cannot_listen, invalid/bad_address,
  /// invalid/bad_certificate, each with what to do.
  Result<void> start();
  /// The port of a listener (by its place in the config), which the system chose if the config says 0.
  std::uint16_t port(std::size_t listener = 0) const;

  /// Reads the certificates again, for new connections. After an error all go on with what they had.
  Result<void> reload_certificates();
  void set_rate_limits(const RateLimits& limits);

  /// New connections are refused, idle ones closed, and each answer is the last of its connection. Does not wait.
  void stop_accepting();
  /// stop_accepting(), then waits for what runs and what is parked. At the deadline all that is left gets 503
  /// M_UNKNOWN. Answers whether all were done before.
  bool drain(Instant deadline);
  /// Closes what is open, finishes handlers that run, ends all threads.
  void stop();

  std::size_t connections() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace backplane::host
