// What the listener counts. Made once a server; every method may be called from any thread.
#pragma once

#include <array>
#include <atomic>
#include <string_view>

#include "backplane/base/clock.h"
#include "backplane/base/metrics.h"
#include "host/http/route_table.h"

namespace backplane::host {

class TrafficMetrics {
 public:
  explicit TrafficMetrics(Metrics& metrics);

  void connection_opened() { connections_.add(1); }
  void connection_closed() { connections_.add(-1); }
  void parked(std::int64_t change) { parked_.add(change); }
  std::int64_t parked() const { return parked_.value(); }
  /// An answer of a route, by pattern, method and class of status.
  void answered(const Route& route, int status, Duration elapsed);
  /// An answer that no route gave: no such path, a broken request.
  void answered_without_route(int status);
  void exception_stopped(std::string_view plugin);
  void rate_limited(http::RateClass rate);
  void queue_full(http::Surface surface) { queue_full_[static_cast<std::size_t>(surface)]->add(); }
  void connection_refused() { refused_.add(); }

 private:
  Metrics& metrics_;
  Gauge& connections_;
  Gauge& parked_;
  Counter& refused_;
  std::array<Histogram*, 4> latency_{};      ///< by surface
  std::array<Counter*, 4> queue_full_{};     ///< by surface
  std::array<Counter*, 5> rate_limited_{};   ///< by rate class
  std::array<Counter*, 6> without_route_{};  ///< by class of status
};

}  // namespace backplane::host
