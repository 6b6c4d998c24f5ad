#include "host/http/traffic_metrics.h"

#include <string>

namespace backplane::host {
namespace {

std::size_t status_class(int status) {
  return status >= 100 && status < 600 ? static_cast<std::size_t>(status / 100) : 0;
}

std::string status_label(std::size_t of_class) { return of_class == 0 ? "other" : std::to_string(of_class) + "xx"; }

}  // namespace

TrafficMetrics::TrafficMetrics(Metrics& metrics)
    : metrics_(metrics),
      connections_(metrics.gauge("connections", "Open connections.")),
      parked_(metrics.gauge("parked_requests", "Requests of parking routes that have no answer yet.")),
      refused_(metrics.counter("connections_refused_total", "Connections refused because there were too many.")) {
  for (std::size_t i = 0; i < latency_.size(); ++i) {
    const std::string surface(to_string(static_cast<http::Surface>(i)));
    latency_[i] = &metrics.histogram(
        "request_seconds", "From the end of a request to its answer; parked ones included.", {{"surface", surface}});
    queue_full_[i] = &metrics.counter("queue_full_total", "Requests refused because too many waited for a worker.",
                                      {{"surface", surface}});
  }
  for (std::size_t i = 1; i < rate_limited_.size(); ++i) {
    rate_limited_[i] = &metrics.counter("rate_limited_total", "Requests refused by a rate limit.",
                                        {{"class", std::string(to_string(static_cast<http::RateClass>(i)))}});
  }
  for (std::size_t i = 0; i < without_route_.size(); ++i) {
    without_route_[i] = &metrics.counter("requests_without_route_total", "Requests that no route answered.",
                                         {{"status", status_label(i)}});
  }
}

void TrafficMetrics::answered(const Route& route, int status, Duration elapsed) {
  const std::size_t of_class = status_class(status);
  std::atomic<Counter*>& place = route.requests[of_class];
  Counter* counter = place.load(std::memory_order_acquire);
  if (counter == nullptr) {
    counter = &metrics_.counter("requests_total", "Requests answered, by route.",
                                {{"plugin", route.plugin},
                                 {"method", std::string(to_string(route.method))},
                                 {"route", route.pattern},
                                 {"status", status_label(of_class)}});
    place.store(counter, std::memory_order_release);
  }
  counter->add();
  latency_[static_cast<std::size_t>(route.surface)]->observe(elapsed);
}

void TrafficMetrics::answered_without_route(int status) { without_route_[status_class(status)]->add(); }

void TrafficMetrics::exception_stopped(std::string_view plugin) {
  metrics_
      .counter("exceptions_total", "Exceptions of handlers that the host stopped.", {{"plugin", std::string(plugin)}})
      .add();
}

void TrafficMetrics::rate_limited(http::RateClass rate) {
  if (Counter* const counter = rate_limited_[static_cast<std::size_t>(rate)]) counter->add();
}

}  // namespace backplane::host
