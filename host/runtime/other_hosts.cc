#include "host/runtime/other_hosts.h"

#include <algorithm>
#include <utility>

namespace backplane::host {

OtherHosts::OtherHosts(const Config& config, Placement placement, Clock& clock, MetricsRegistry& metrics,
                       log::Runtime& log, Logger logger)
    : config_(config),
      placement_(std::move(placement)),
      clock_(clock),
      metrics_(metrics),
      log_(log),
      completions_({.name = "remote", .max_threads = 256, .max_queue = 16384}, clock, logger),
      loop_(clock, logger),
      asker_([&log](const std::vector<std::string>& topics) { return log.own_heads(topics); }, clock) {
  heads_.list_heads.bind([&log](const api::CallContext&, const api::ListHeadsRequest& request,
                                const api::Reply<api::ListHeadsResponse>& reply) {
    api::ListHeadsResponse response;
    for (const log::OwnHead& head : log.own_heads(request.topics))
      response.heads.push_back({head.topic, head.epoch, head.positions.encode()});
    reply(std::move(response));
  });
}

OtherHosts::~OtherHosts() { stop(); }

Result<void> OtherHosts::load_certificates() {
  const bool wanted =
      std::ranges::any_of(config_.hosts, [](const auto& host) { return host.second.url.starts_with("https://"); });
  if (!wanted) return {};
  const auto& [certificate, key, authority] = config_.internal_tls;
  BACKPLANE_TRY(context, TlsContext::load_for_calls({certificate, key, authority}));
  tls_ = std::move(context);
  for (const auto& [name, host] : hosts_) host->set_tls(tls_);
  return {};
}

/// nullptr: that is this one.
RemoteHost* OtherHosts::find(const std::string& name) {
  if (name == config_.this_host) return nullptr;
  auto& host = hosts_[name];
  if (host == nullptr) {
    host = std::make_unique<RemoteHost>(
        RemoteHost::Options{name, config_.hosts.find(name)->second.url, config_.shared_secret, tls_}, clock_, loop_,
        metrics_.view("remote"));
  }
  return host.get();
}

CallRouter::Parts OtherHosts::parts() { return {clock_, loop_, completions_, metrics_.view("remote"), &patient_}; }

CallRouter* OtherHosts::router_of(std::string_view interface_id) {
  const auto provider = placement_.providers.find(interface_id);
  if (provider == placement_.providers.end()) return nullptr;
  const auto& [plugin, names] = provider->second;
  if (names.size() == 1 && names.front() == config_.this_host) return nullptr;
  auto& router = routers_[provider->first];
  if (router == nullptr) {
    std::vector<CallRouter::Provider> providers;
    for (const std::string& name : names) providers.push_back({name, find(name)});
    router = std::make_unique<CallRouter>(plugin, config_.this_host, std::move(providers), parts());
  }
  return router.get();
}

void OtherHosts::share_heads() {
  std::map<std::string, std::vector<std::string>> topics_of;  // by host
  std::vector<std::string> asked;
  for (const auto& [topic, hosts] : placement_.publishers) {
    for (const std::string& host : hosts)
      if (host != config_.this_host) topics_of[host].push_back(topic);
    if (hosts != std::vector{config_.this_host}) asked.push_back(topic);
  }
  if (asked.empty()) return;
  CallRouter::Parts impatient = parts();  // a head that is not known is no reason to keep a reader waiting
  impatient.patient = nullptr;
  for (auto& [host, topics] : topics_of) {
    auto& router = head_routers_.emplace_back(std::make_unique<CallRouter>(
        "host", config_.this_host, std::vector<CallRouter::Provider>{{host, find(host)}}, impatient));
    asker_.add_host(host, std::move(topics), *router);
  }
  log_.set_head_asker(std::move(asked),
                      [this](std::string_view topic, Instant until) { return asker_.ask(topic, until); });
}

void OtherHosts::stop() {
  loop_.stop();
  completions_.stop();
}

}  // namespace backplane::host
