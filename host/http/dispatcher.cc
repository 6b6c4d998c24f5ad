#include "host/http/dispatcher.h"

#include <exception>
#include <utility>

namespace backplane::host {

Dispatcher::Dispatcher(std::shared_ptr<ServerCore> core) : core_(std::move(core)) {
  for (std::size_t i = 0; i < pools_.size(); ++i) {
    WorkerPoolOptions options;
    options.name = "http-" + std::string(to_string(static_cast<http::Surface>(i)));
    options.max_threads = core_->config.pools[i].max_threads;
    options.max_queue = core_->config.pools[i].max_queue;
    pools_[i] = std::make_unique<WorkerPool>(std::move(options), core_->clock, core_->logger);
  }
}

void Dispatcher::stop() {
  for (const auto& pool : pools_) pool->stop();
}

void Dispatcher::dispatch(const Route& route, http::Request request, std::shared_ptr<Exchange> exchange) {
  auto job = std::make_unique<Job>(&route, std::move(request), std::move(exchange));
  Executor* pool = route.pool ? route.pool(job->request) : nullptr;
  if (pool == nullptr) pool = pools_[static_cast<std::size_t>(route.surface)].get();
  // A pool runs what it takes exactly once, so a bare pointer is enough, and fits std::function without memory.
  const auto taken = pool->submit([this, raw = job.get()] {
    const std::unique_ptr<Job> mine(raw);
    run(*mine);
  });
  if (taken) {
    (void)job.release();
    return;
  }
  refuse(route, *job->exchange);
}

void Dispatcher::refuse(const Route& route, Exchange& exchange) {
  core_->traffic.queue_full(route.surface);
  Error error = unavailable("", "The server is too busy");
  // Clients know how to take M_LIMIT_EXCEEDED; servers and our own hosts take a 503 as a reason to come again.
  if (route.surface == http::Surface::client) error.reason = "limit_exceeded";
  exchange.complete(http::Response::error(std::move(error).with_json("retry_after_ms", "1000")));
}

void Dispatcher::run(Job& job) {
  const Route& route = *job.route;
  const char* what = "not a std::exception";
  std::string text;
  try {
    if (Result<void> admitted = admit(job); !admitted) {
      job.exchange->complete(http::Response::error(admitted.error()));
    } else if (route.parking && core_->traffic.parked() >= static_cast<std::int64_t>(core_->config.max_parked)) {
      refuse(route, *job.exchange);
    } else if (route.parking) {
      job.exchange->park();
      route.parking(job.request, http::Responder(job.exchange));
    } else {
      Result<http::Response> response = route.handler(job.request);
      job.exchange->complete(response ? *std::move(response) : http::Response::error(response.error()));
    }
    return;
  } catch (const std::exception& e) {
    text = e.what();
    what = text.c_str();
  } catch (...) {  // NOLINT: the barrier between a plugin and the host
  }
  core_->traffic.exception_stopped(route.plugin);
  core_->logger.error(
      "a handler threw an exception",
      {{"plugin", route.plugin}, {"route", route.pattern}, {"request", job.request.id.view()}, {"what", what}});
  job.exchange->complete(http::Response::error(internal_error("Internal server error")));
}

Result<void> Dispatcher::admit(Job& job) {
  const Route& route = *job.route;
  http::Request& request = job.request;
  if (core_->clock.now() > request.deadline) return timed_out("The server was too busy to answer in time");
  if (route.options.authentication != http::Authentication::none && route.authenticator != nullptr) {
    BACKPLANE_TRY(identity, route.authenticator->authenticate(request, route.options.authentication));
    request.identity = std::move(identity);
  }
  if (route.options.rate == http::RateClass::none) return {};
  if (request.identity && !request.identity->rate_limited) return {};
  const std::string key =
      request.identity ? "u" + request.identity->rate_key : "a" + address_rate_key(request.remote_address);
  const Duration wait = core_->limiter.take(route.options.rate, key, core_->clock.now());
  if (wait <= Duration::zero()) return {};
  core_->traffic.rate_limited(route.options.rate);
  const std::int64_t wait_ms = (wait.count() + 999'999) / 1'000'000;
  return unavailable("limit_exceeded", "Too many requests").with_json("retry_after_ms", std::to_string(wait_ms));
}

}  // namespace backplane::host
