// What every part of the listener shares, and what an answer that comes late still needs: it lives as long as the
// last connection or responder. The references outlive the server.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "backplane/base/clock.h"
#include "backplane/base/gate.h"
#include "backplane/base/logger.h"
#include "backplane/base/random.h"
#include "host/http/http_config.h"
#include "host/http/rate_limiter.h"
#include "host/http/route_table.h"
#include "host/http/traffic_metrics.h"

namespace backplane::host {

struct ServerCore {
  ServerCore(HttpConfig c, Clock& k, Random& r, Metrics& m, Logger l)
      : config(std::move(c)),
        clock(k),
        logger(std::move(l)),
        traffic(m),
        limiter(config.rate_limits),
        id_prefix(r.text(5)) {}

  /// Short and unique in this process, and nearly so across hosts.
  RequestId next_request_id();

  const HttpConfig config;
  Clock& clock;
  const Logger logger;
  TrafficMetrics traffic;
  RateLimiter limiter;
  RouteTable routes;
  Gate connections;  ///< every open connection is inside
  std::atomic<bool> draining{false};

 private:
  const std::string id_prefix;
  std::atomic<std::uint64_t> last_id{0};
};

inline RequestId ServerCore::next_request_id() {
  return RequestId(id_prefix + "-" + std::to_string(last_id.fetch_add(1, std::memory_order_relaxed) + 1));
}

}  // namespace backplane::host
