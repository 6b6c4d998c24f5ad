#include "host/observe/ops_listener.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/ThreadPool.h>
#include <Poco/Timespan.h>

#include <utility>

#include "backplane/base/json.h"
#include "host/observe/process_metrics.h"

namespace backplane::host {

struct OpsListener::Pages {
  std::map<std::string, std::function<OpsPage()>, std::less<>> pages;

  OpsPage find(std::string_view uri) const {
    const auto it = pages.find(uri.substr(0, uri.find('?')));
    if (it == pages.end()) return {"text/plain; charset=utf-8", "No such page\n", 404};
    return it->second();
  }
};

namespace {

namespace net = Poco::Net;

constexpr std::string_view json_type = "application/json";

OpsPage ready_page(const OpsListener::Readiness& missing_now) {
  const std::vector<std::string> missing = missing_now ? missing_now() : std::vector<std::string>{};
  OpsPage page{std::string(json_type), "", missing.empty() ? 200 : 503};
  json::Writer writer(page.body);
  writer.begin_object().member("ready", missing.empty()).key("missing").begin_array();
  for (const std::string& what : missing) writer.string(what);
  writer.end_array().end_object();
  return page;
}

/// Answers one request. Poco makes one for each.
template <class Pages>
class PageHandler final : public net::HTTPRequestHandler {
 public:
  PageHandler(std::shared_ptr<const Pages> pages, const Logger& logger) : pages_(std::move(pages)), logger_(logger) {}

  void handleRequest(net::HTTPServerRequest& request, net::HTTPServerResponse& response) override {
    OpsPage page;
    const bool head = request.getMethod() == "HEAD";
    if (head || request.getMethod() == "GET") {
      try {
        page = pages_->find(request.getURI());
      } catch (const std::exception& e) {
        logger_.error("a page threw an exception", {{"what", e.what()}});
        page = {"text/plain; charset=utf-8", "This page failed; the log says why\n", 500};
      }
    } else {
      response.set("Allow", "GET, HEAD");
      page = {"text/plain; charset=utf-8", "Only GET\n", 405};
    }
    response.setStatusAndReason(static_cast<net::HTTPResponse::HTTPStatus>(page.status));
    response.setContentType(page.content_type);
    response.set("Cache-Control", "no-store");
    response.setContentLength64(static_cast<Poco::Int64>(page.body.size()));
    if (head) {
      response.send();
    } else {
      response.sendBuffer(page.body.data(), page.body.size());
    }
  }

 private:
  const std::shared_ptr<const Pages> pages_;
  const Logger logger_;
};

template <class Pages>
class PageHandlers final : public net::HTTPRequestHandlerFactory {
 public:
  PageHandlers(std::shared_ptr<const Pages> pages, Logger logger)
      : pages_(std::move(pages)), logger_(std::move(logger)) {}
  net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest&) override {
    return new PageHandler<Pages>(pages_, logger_);  // Poco deletes it
  }

 private:
  const std::shared_ptr<const Pages> pages_;
  const Logger logger_;
};

net::HTTPServerParams::Ptr parameters(int threads) {
  net::HTTPServerParams::Ptr made = new net::HTTPServerParams;
  made->setMaxThreads(threads);
  made->setMaxQueued(64);
  made->setTimeout(Poco::Timespan(10, 0));
  made->setKeepAliveTimeout(Poco::Timespan(5, 0));
  made->setServerName("");
  made->setSoftwareVersion("");
  return made;
}

net::ServerSocket listen_on(const OpsOptions& options) {
  // Poco would share the port with a second server that was started by mistake.
  net::ServerSocket socket;
  socket.bind(net::SocketAddress(options.address, options.port), true, false);
  socket.listen(64);
  return socket;
}

}  // namespace

struct OpsListener::Server {
  Server(const OpsOptions& options, const std::shared_ptr<const Pages>& pages, const Logger& logger)
      : pool("ops", 1, options.threads),
        socket(listen_on(options)),
        http(new PageHandlers<Pages>(pages, logger), pool, socket, parameters(options.threads)) {}
  Poco::ThreadPool pool;
  net::ServerSocket socket;
  net::HTTPServer http;
};

OpsListener::OpsListener(OpsOptions options, const MetricsRegistry& metrics, Readiness missing, Logger logger)
    : options_(std::move(options)), pages_(std::make_shared<Pages>()), logger_(std::move(logger)) {
  add_page("/health/live", [] { return OpsPage{std::string(json_type), R"({"live":true})"}; });
  add_page("/health/ready", [missing = std::move(missing)] { return ready_page(missing); });
  add_page("/metrics", [&metrics] {
    return OpsPage{"text/plain; version=0.0.4; charset=utf-8",
                   metrics.prometheus_text() + process_metrics_text(read_process_figures())};
  });
}

OpsListener::~OpsListener() { stop(); }

void OpsListener::add_page(std::string path, std::function<OpsPage()> page) {
  pages_->pages.insert_or_assign(std::move(path), std::move(page));
}

Result<void> OpsListener::start() {
  try {
    server_ = std::make_unique<Server>(options_, pages_, logger_);
    server_->http.start();
  } catch (const Poco::Exception& e) {
    server_.reset();
    return unavailable("cannot_listen",
                       "Cannot listen on " + options_.address + ":" + std::to_string(options_.port) +
                           " for operations: " + e.displayText() +
                           ". Stop the program that uses the port, or set another one in `operations.port`");
  }
  logger_.info("operations listener ready", {{"address", options_.address}, {"port", port()}});
  return {};
}

std::uint16_t OpsListener::port() const { return server_ ? server_->http.port() : 0; }

void OpsListener::stop() {
  if (!server_) return;
  server_->http.stopAll(true);
  server_->pool.joinAll();
  server_.reset();
}

}  // namespace backplane::host
