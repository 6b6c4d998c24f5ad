// A bare listener to measure: `http_bench serve PORT` answers GET /hello and parks GET /sync for ever (a POST to /wake
// answers them all); `http_bench park PORT N PID` opens N parked requests and prints the memory of process PID before
// and after. Load it with wrk: `wrk -c64 -t2 -d10 http://127.0.0.1:PORT/hello`.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "backplane/base/random.h"
#include "host/http/listener.h"
#include "host/observe/log_sink.h"
#include "host/observe/metrics_registry.h"
#include "host/runtime/process_limits.h"

namespace {

using namespace backplane;
using namespace backplane::host;

int serve(std::uint16_t port) {
  const auto sink = SpdlogSink::open({}, system_clock());
  const std::atomic<LogLevel> level{LogLevel::info};
  MetricsRegistry metrics;
  HttpConfig config;
  config.listeners.emplace_back();
  config.listeners[0].port = port;
  config.listeners[0].serves = Surfaces::all();
  config.listeners[0].max_connections = 100'000;
  if (const char* threads = std::getenv("IO_THREADS")) config.io_threads = std::strtoul(threads, nullptr, 10);
  if (const char* threads = std::getenv("WORKERS")) config.pools[0].max_threads = std::strtoul(threads, nullptr, 10);
  HttpServer server(config, system_clock(), system_random(), metrics.view("http"), Logger(**sink, level, "http"));
  const http::RouteOptions options{http::Authentication::none, http::small_body, http::RateClass::none};
  std::mutex mutex;
  std::vector<http::Responder> parked;
  (void)server.add_route("bench", http::Surface::client, http::Method::get, "/hello", options, nullptr,
                         [](const http::Request&) { return http::Response::json(R"({"hello":"world"})"); });
  (void)server.add_route("bench", http::Surface::client, http::Method::post, "/wake", options, nullptr,
                         [&](const http::Request&) {
                           const std::lock_guard lock(mutex);
                           for (const auto& responder : parked) responder.complete(http::Response::empty_object());
                           parked.clear();
                           return http::Response::empty_object();
                         });
  (void)server.add_parking_route("bench", http::Surface::client, http::Method::get, "/sync", options, nullptr,
                                 [&](const http::Request&, http::Responder responder) {
                                   const std::lock_guard lock(mutex);
                                   parked.push_back(std::move(responder));
                                 });
  sigset_t signals;  // blocked before there are threads, so that only this one takes them
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  if (const auto started = server.start(); !started) {
    std::fprintf(stderr, "%s\n", started.error().text.c_str());
    return 1;
  }
  int signal = 0;
  sigwait(&signals, &signal);
  server.drain(system_clock().now() + std::chrono::seconds(1));
  server.stop();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("%s", metrics.prometheus_text().c_str());
  return 0;
}

std::string memory_of(const char* pid) {
  std::ifstream file("/proc/" + std::string(pid) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmRSS")) return line;
  }
  return "?";
}

int park(std::uint16_t port, int count, const char* pid) {
  std::printf("before: %s\n", memory_of(pid).c_str());
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  constexpr std::string_view request =
      "GET /sync?since=s123456_12345_123&timeout=30000 HTTP/1.1\r\nHost: 127.0.0.1:8008\r\nUser-Agent: bench/1.0\r\n"
      "Accept: application/json\r\nAuthorization: Bearer syt_YWxpY2U_abcdefghijklmnopqrst_012345\r\n\r\n";
  for (int i = 0; i < count; ++i) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    if (connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      std::perror("connect");
      return 1;
    }
    (void)!write(socket, request.data(), request.size());
  }
  std::this_thread::sleep_for(std::chrono::seconds(2));
  std::printf("%d parked: %s\n", count, memory_of(pid).c_str());
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  raise_open_files_limit();
  const std::string_view what = count > 2 ? arguments[1] : "";
  if (what == "serve") return serve(static_cast<std::uint16_t>(std::atoi(arguments[2])));
  if (what == "park" && count == 5)
    return park(static_cast<std::uint16_t>(std::atoi(arguments[2])), std::atoi(arguments[3]), arguments[4]);
  std::fprintf(stderr, "usage: http_bench serve PORT | park PORT N PID\n");
  return 2;
}
