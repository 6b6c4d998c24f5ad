// What the public listener can be told. The host's config fills it; tests fill it by hand. Plain values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backplane/base/clock.h"
#include "host/http/client_address.h"
#include "host/http/rate_limiter.h"
#include "host/http/route_table.h"

namespace backplane::host {

/// Paths of PEM files. The certificate's file holds the chain, the server's first.
struct TlsFiles {
  std::string certificate;
  std::string private_key;
  std::string authority{};  ///< whose certificates the other side must show; empty: a listener asks for none
};

struct ListenerConfig {
  std::string address = "127.0.0.1";  ///< of this machine, or 0.0.0.0 or :: for all
  std::uint16_t port = 8008;          ///< 0: any free one (HttpServer::port says which)
  std::optional<TlsFiles> tls;
  Surfaces serves;
  std::size_t max_connections = 16384;  ///< more are answered 503 and closed
};

/// Of the worker pool of a surface.
struct SurfacePool {
  std::size_t max_threads = 64;
  std::size_t max_queue = 1024;
};

struct HttpConfig {
  std::vector<ListenerConfig> listeners;
  std::size_t io_threads = 2;
  std::array<SurfacePool, 4> pools;  ///< by http::Surface

  std::size_t max_parked = 50'000;  ///< requests that wait without a thread; more are refused as by a full queue
  std::size_t max_body_bytes = 64 * 1024 * 1024;  ///< whatever a route allows
  std::size_t max_header_bytes = 16 * 1024;
  std::size_t max_uri_bytes = 8 * 1024;
  std::size_t max_headers = 100;
  Duration idle_timeout = std::chrono::seconds(75);    ///< between requests
  Duration header_timeout = std::chrono::seconds(15);  ///< for a TLS handshake, and for a request's header
  Duration body_timeout = std::chrono::seconds(30);    ///< for every 64 KiB of a request's body
  Duration write_timeout = std::chrono::seconds(30);   ///< for every part of an answer that the system takes

  RateLimits rate_limits;
  TrustedProxies trusted_proxies;
};

}  // namespace backplane::host
