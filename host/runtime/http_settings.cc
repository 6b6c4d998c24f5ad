#include "host/runtime/http_settings.h"

namespace backplane::host {
namespace {

RateLimit limit(const RateLimitSettings& settings) {
  return {settings.per_second, static_cast<double>(settings.burst)};
}

}  // namespace

RateLimits rate_limits(const Config& config) {
  const RateLimitsConfig& limits = config.rate_limits;
  return {limit(limits.read), limit(limits.write), limit(limits.login), limit(limits.registration)};
}

HttpConfig http_config(const Config& config) {
  HttpConfig http;
  for (const ListenerSettings& settings : config.listeners) {
    ListenerConfig& listener = http.listeners.emplace_back();
    listener.address = settings.bind;
    listener.port = settings.port;
    if (settings.tls()) listener.tls = TlsFiles{settings.tls_certificate, settings.tls_key, settings.tls_client_ca};
    for (const http::Surface surface : settings.serves) listener.serves.add(surface);
    listener.max_connections = static_cast<std::size_t>(config.limits.connections);
  }
  http.io_threads = static_cast<std::size_t>(config.io_threads);
  for (std::size_t i = 0; i < http.pools.size(); ++i) {
    http.pools[i].max_threads = static_cast<std::size_t>(config.workers.of(static_cast<http::Surface>(i)));
    http.pools[i].max_queue = static_cast<std::size_t>(config.limits.queued_requests);
  }
  http.max_parked = static_cast<std::size_t>(config.limits.parked_requests);
  http.max_body_bytes = static_cast<std::size_t>(config.limits.body_bytes);
  http.max_header_bytes = static_cast<std::size_t>(config.limits.header_bytes);
  http.idle_timeout = config.limits.idle_timeout;
  http.header_timeout = config.limits.header_timeout;
  http.body_timeout = config.limits.body_timeout;
  http.rate_limits = rate_limits(config);
  if (auto proxies = TrustedProxies::parse(config.trusted_proxies)) http.trusted_proxies = std::move(*proxies);
  return http;
}

}  // namespace backplane::host
