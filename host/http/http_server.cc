#include <algorithm>
#include <boost/asio/post.hpp>
#include <future>
#include <utility>
#include <vector>

#include "host/http/acceptor.h"
#include "host/http/dispatcher.h"
#include "host/http/io_thread.h"
#include "host/http/listener.h"
#include "host/http/server_core.h"

namespace backplane::host {

struct HttpServer::State {
  State(HttpConfig config, Clock& clock, Random& random, Metrics& metrics, Logger logger)
      : core(std::make_shared<ServerCore>(std::move(config), clock, random, metrics, std::move(logger))),
        dispatcher(std::make_shared<Dispatcher>(core)) {
    show_queues(metrics);
    for (std::size_t i = 0; i < std::max<std::size_t>(core->config.io_threads, 1); ++i) {
      threads.push_back(std::make_unique<IoThread>(core, i));
    }
  }

  void show_queues(Metrics& metrics) {
    for (std::size_t i = 0; i < 4; ++i) {
      const auto surface = static_cast<http::Surface>(i);
      const MetricLabels labels{{"surface", std::string(to_string(surface))}};
      // The registry may outlive the server.
      const std::weak_ptr<Dispatcher> weak = dispatcher;
      metrics.computed_gauge("queued_requests", "Requests that wait for a worker.", labels, [weak, surface] {
        const auto there = weak.lock();
        return there ? static_cast<std::int64_t>(there->queued(surface)) : 0;
      });
      metrics.computed_gauge("worker_threads", "Threads of the surface's pool.", labels, [weak, surface] {
        const auto there = weak.lock();
        return there ? static_cast<std::int64_t>(there->threads(surface)) : 0;
      });
    }
  }

  Result<void> add(std::unique_ptr<Route> route) {
    if (route->options.authentication != http::Authentication::none && route->authenticator == nullptr) {
      return invalid("no_authenticator", "Plugin " + route->plugin + " declared the route " +
                                             std::string(to_string(route->method)) + " " + route->pattern +
                                             " with authentication, but gave no authenticator");
    }
    return core->routes.add(std::move(route));
  }

  /// Runs `work` on the acceptors' threads and waits for it.
  void on_acceptors(void (*work)(Acceptor&)) {
    for (const auto& acceptor : acceptors) {
      std::promise<void> done;
      boost::asio::post(acceptor->thread().context(), [&done, &acceptor, work] {
        work(*acceptor);
        done.set_value();
      });
      done.get_future().wait();
    }
  }

  const std::shared_ptr<ServerCore> core;
  const std::shared_ptr<Dispatcher> dispatcher;
  std::vector<std::unique_ptr<IoThread>> threads;
  std::vector<std::unique_ptr<Acceptor>> acceptors;
  bool running = false;
};

namespace {

std::unique_ptr<Route> make_route(std::string_view plugin, http::Surface surface, http::Method method,
                                  std::string_view pattern, http::RouteOptions options,
                                  http::Authenticator* authenticator) {
  auto route = std::make_unique<Route>();
  route->plugin = plugin;
  route->surface = surface;
  route->method = method;
  route->pattern = pattern;
  route->options = options;
  route->authenticator = authenticator;
  return route;
}

}  // namespace

HttpServer::HttpServer(HttpConfig config, Clock& clock, Random& random, Metrics& metrics, Logger logger)
    : state_(std::make_unique<State>(std::move(config), clock, random, metrics, std::move(logger))) {}

HttpServer::~HttpServer() { stop(); }

Result<void> HttpServer::add_route(std::string_view plugin, http::Surface surface, http::Method method,
                                   std::string_view pattern, http::RouteOptions options,
                                   http::Authenticator* authenticator, http::Handler handler) {
  auto route = make_route(plugin, surface, method, pattern, options, authenticator);
  route->handler = std::move(handler);
  return state_->add(std::move(route));
}

Result<void> HttpServer::add_parking_route(std::string_view plugin, http::Surface surface, http::Method method,
                                           std::string_view pattern, http::RouteOptions options,
                                           http::Authenticator* authenticator, http::ParkingHandler handler,
                                           PoolChoice pool) {
  auto route = make_route(plugin, surface, method, pattern, options, authenticator);
  route->parking = std::move(handler);
  route->pool = std::move(pool);
  return state_->add(std::move(route));
}

Result<void> HttpServer::start() {
  State& state = *state_;
  std::size_t thread = 0;
  for (const ListenerConfig& listener : state.core->config.listeners) {
    auto acceptor = std::make_unique<Acceptor>(state.core, listener, *state.dispatcher, state.threads, thread++);
    if (Result<void> opened = acceptor->open(); !opened) {
      state.acceptors.clear();
      return opened;
    }
    state.acceptors.push_back(std::move(acceptor));
  }
  state.running = true;
  for (const auto& io : state.threads) io->start();
  state.on_acceptors([](Acceptor& acceptor) { acceptor.accept(); });
  for (const auto& acceptor : state.acceptors) {
    const ListenerConfig& config = acceptor->listener()->config;
    state.core->logger.info("listening",
                            {{"address", config.address}, {"port", acceptor->port()}, {"tls", config.tls.has_value()}});
  }
  return {};
}

std::uint16_t HttpServer::port(std::size_t listener) const { return state_->acceptors.at(listener)->port(); }

Result<void> HttpServer::reload_certificates() {
  for (const auto& acceptor : state_->acceptors) BACKPLANE_CHECK(acceptor->load_certificate());
  return {};
}

void HttpServer::set_rate_limits(const RateLimits& limits) { state_->core->limiter.set_limits(limits); }

std::size_t HttpServer::connections() const { return state_->core->connections.inside(); }

void HttpServer::stop_accepting() {
  State& state = *state_;
  if (!state.running || state.core->draining.exchange(true)) return;
  state.on_acceptors([](Acceptor& acceptor) { acceptor.close(); });
  for (const auto& io : state.threads) {
    io->for_each([](Connection& connection) { connection.drain(); });
    io->hurry();
  }
}

bool HttpServer::drain(Instant deadline) {
  State& state = *state_;
  if (!state.running) return true;
  stop_accepting();
  Clock& clock = state.core->clock;
  if (state.core->connections.close_and_wait(clock, deadline)) return true;
  for (const auto& io : state.threads) io->for_each([](Connection& connection) { connection.give_up(); });
  // The last answers need a moment to be read; clients that do not take them are cut off by stop().
  (void)state.core->connections.close_and_wait(clock, clock.now() + std::chrono::milliseconds(500));
  return false;
}

void HttpServer::stop() {
  State& state = *state_;
  if (!std::exchange(state.running, false)) return;
  if (!state.core->draining.exchange(true)) state.on_acceptors([](Acceptor& acceptor) { acceptor.close(); });
  for (const auto& io : state.threads) io->stop();
  state.dispatcher->stop();
}

}  // namespace backplane::host
