// The operations listener: health and metrics on a port of their own, for whoever watches the server. It is Poco's
// HTTP server with a few threads and shares nothing with the public listener, so that it answers when that is stuck.
//
//   GET /health/live    200 while the process runs
//   GET /health/ready   200 when it serves; else 503 and JSON that says what is missing
//   GET /metrics        Prometheus' text format
//   GET <added pages>   such as the console's
//
// add_page before start; the rest on any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backplane/base/logger.h"
#include "backplane/base/result.h"
#include "host/observe/metrics_registry.h"

namespace backplane::host {

struct OpsOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 9008;  ///< 0: any free one
  int threads = 4;
};

struct OpsPage {
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  int status = 200;
};

class OpsListener {
 public:
  /// Names what is not ready yet; nothing when all is. Called by threads of the listener.
  using Readiness = std::function<std::vector<std::string>()>;

  OpsListener(OpsOptions options, const MetricsRegistry& metrics, Readiness missing, Logger logger);
  ~OpsListener();
  OpsListener(const OpsListener&) = delete;
  OpsListener& operator=(const OpsListener&) = delete;

  void add_page(std::string path, std::function<OpsPage()> page);
  /// Errors: unavailable/cannot_listen, naming address, reason and what to do.
  Result<void> start();
  std::uint16_t port() const;
  void stop();

 private:
  struct Pages;
  struct Server;
  const OpsOptions options_;
  const std::shared_ptr<Pages> pages_;
  const Logger logger_;
  std::unique_ptr<Server> server_;
};

}  // namespace backplane::host
