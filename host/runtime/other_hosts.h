// The other hosts of this server, for a process that is one of several: connections to them, routers for what they
// provide, and what hosts tell each other about their logs. Without `hosts` in config it is there and does nothing.
//
// load() first; router_of() and share_heads() on the thread that starts the server; what they made is used by any.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/api/log_heads.h"
#include "backplane/log/runtime.h"
#include "host/config/config.h"
#include "host/observe/metrics_registry.h"
#include "host/plugins/placement.h"
#include "host/remote/call_loop.h"
#include "host/remote/call_router.h"
#include "host/remote/head_asker.h"
#include "host/remote/remote_host.h"
#include "host/runtime/worker_pool.h"

namespace backplane::host {

class OtherHosts {
 public:
  /// The references outlive it, as it outlives the plugins whose needs its routers serve.
  OtherHosts(const Config& config, Placement placement, Clock& clock, MetricsRegistry& metrics, log::Runtime& log,
             Logger logger);
  ~OtherHosts();
  OtherHosts(const OtherHosts&) = delete;
  OtherHosts& operator=(const OtherHosts&) = delete;

  /// Reads certificates, again when it is called again: new connections use them.
  Result<void> load_certificates();
  /// The router of an interface that other hosts provide, too or alone; nullptr: none does.
  CallRouter* router_of(std::string_view interface_id);
  /// Whether calls wait for a host that went only just now. Any thread; at first they do not.
  void set_patient(bool patient) { patient_ = patient; }
  /// Before the log starts: tails ask other hosts for their heads.
  void share_heads();
  /// What this host answers to the same question.
  const api::LogHeads& heads() const { return heads_; }
  /// Deferred calls end; blocking ones go on to work.
  void stop();

 private:
  RemoteHost* find(const std::string& name);
  CallRouter::Parts parts();

  const Config& config_;
  const Placement placement_;
  Clock& clock_;
  MetricsRegistry& metrics_;
  log::Runtime& log_;
  WorkerPool completions_;
  CallLoop loop_;
  std::atomic<bool> patient_{false};
  std::shared_ptr<const TlsContext> tls_;
  std::map<std::string, std::unique_ptr<RemoteHost>> hosts_;                 ///< by name
  std::map<std::string, std::unique_ptr<CallRouter>, std::less<>> routers_;  ///< by interface id
  std::vector<std::unique_ptr<CallRouter>> head_routers_;
  HeadAsker asker_;
  api::LogHeads heads_;
};

}  // namespace backplane::host
