// What one plugin declared in wire(), kept so that the host can hold it to its manifest, connect it and count its
// calls. Filled on one thread; read-only afterwards.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backplane/log/log.h"
#include "backplane/plugin/plugin.h"
#include "host/config/fault.h"
#include "host/plugins/store_handle.h"

namespace backplane::host {

struct DeclaredRoute {
  http::Surface surface;
  http::Authenticator* authenticator;
  http::Method method;
  std::string pattern;
  http::RouteOptions options;
  http::Handler handler;  ///< one of these two
  http::ParkingHandler parking;
};

struct DeclaredNeed {
  std::unique_ptr<api::Interface> instance;
  plugin::Need need;
};

/// Objects that plugins offer each other by id, one table a process host.
using OfferedObjects = std::map<std::string, void*, std::less<>>;

class PluginWiring final : public plugin::Wiring {
 public:
  /// `log` and `metrics` are the plugin's own faces and outlive this.
  PluginWiring(const plugin::Manifest& manifest, log::Log& log, Metrics& metrics, OfferedObjects& offered);
  ~PluginWiring() override;

  void provide(api::Interface& interface) override { provided_.push_back(&interface); }
  http::Routes& routes(http::Surface surface, http::Authenticator* authenticator) override;
  storage::Store& store(plugin::StoreOptions options) override;
  log::Log& log() override;
  Metrics& metrics() override { return metrics_; }

  /// What was declared and is not in the manifest, and the other way round.
  void compare(Faults& faults) const;

  const std::vector<api::Interface*>& provided() const { return provided_; }
  std::vector<DeclaredNeed>& needs() { return needs_; }
  std::vector<DeclaredRoute>& declared_routes() { return routes_; }
  /// nullptr when the plugin has no store.
  StoreHandle* store_handle() { return store_.get(); }
  const plugin::StoreOptions& store_options() const { return store_options_; }

 protected:
  void adopt(std::unique_ptr<api::Interface> instance, plugin::Need need) override;
  void offer_object(std::string_view id, void* object) override;
  void* find_object(std::string_view id) override;

 private:
  class Routes;
  class RecordingLog;

  const plugin::Manifest& manifest_;
  Metrics& metrics_;
  OfferedObjects& offered_;
  std::unique_ptr<RecordingLog> log_;
  std::vector<std::unique_ptr<Routes>> route_faces_;
  std::vector<DeclaredRoute> routes_;
  std::vector<api::Interface*> provided_;
  std::vector<std::string> offered_ids_;
  std::vector<DeclaredNeed> needs_;
  std::vector<std::string> published_, consumed_;
  std::unique_ptr<StoreHandle> store_;
  plugin::StoreOptions store_options_;
};

}  // namespace backplane::host
