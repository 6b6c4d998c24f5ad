// The plugins of one server, through their lives: load and configure, wire, connect, open stores, start, drain, stop.
// Every step reports all its faults; a step is taken only when the one before had none. One thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backplane/log/runtime.h"
#include "backplane/plugin/entry.h"
#include "backplane/storage/database.h"
#include "host/config/config.h"
#include "host/observe/metrics_registry.h"
#include "host/plugins/plugin_file.h"
#include "host/plugins/plugin_wiring.h"

namespace backplane::host {

class CallRouter;

struct DeclaredStore {
  std::string plugin;
  std::vector<storage::Migration> migrations;
  std::vector<storage::Check> checks;
};
/// Where config says that a plugin's database is.
storage::DatabaseConfig database_of(const Config& config, const std::string& plugin);

class PluginSet {
 public:
  /// `files` in starting order. The references outlive the set.
  PluginSet(std::vector<PluginFile> files, plugin::Host& host, MetricsRegistry& metrics, log::Runtime& log);
  /// Stops nothing: stop() has to be called where start() was.
  ~PluginSet();
  PluginSet(const PluginSet&) = delete;
  PluginSet& operator=(const PluginSet&) = delete;

  /// Loads the objects, makes the plugins, and has each look at its options.
  Faults configure(const Config& config);
  /// Has each declare what it is, holds it to its manifest, and connects every need to its provider.
  Faults wire();
  /// A guest may open them beside the server that has them, and publishes nothing.
  Faults open_stores(const Config& config, bool guest = false);
  /// The plugins that have declared a store, with its migrations. After wire().
  std::vector<DeclaredStore> declared_stores() const;
  /// In order, up to the first fault; stop() then stops what has started.
  Faults start();
  void drain(Instant deadline);
  /// In reverse order; then stores are closed.
  void stop();

  /// The router of an interface that other hosts provide, too or alone; nullptr: none does. Set before wire().
  using Routers = std::function<CallRouter*(std::string_view interface_id)>;
  void set_routers(Routers routers) { routers_ = std::move(routers); }
  struct Provided {
    const api::Interface* interface;
    const storage::Store* store;  ///< the provider's; nullptr when it has none
  };
  /// What this process provides.
  std::vector<Provided> provided() const;

  /// An object that a plugin offers under this id; nullptr when none does.
  void* find_object(std::string_view id) const;
  using RouteVisitor = std::function<void(const std::string& plugin, DeclaredRoute& route)>;
  void for_each_route(const RouteVisitor& visit);
  /// Connects an interface of the host's own (a command that calls a plugin). False when nobody provides it, or only
  /// one of another build does.
  bool connect(api::Interface& interface) const;

 private:
  struct Member;
  Faults connect_needs();
  void connect_need(const Member& consumer, DeclaredNeed& need, Faults& faults);
  void measure(const Member& consumer, const std::string& provider, api::Interface& instance);
  Fault fault(const Member& member, std::string what, const Error& error) const;

  plugin::Host& host_;
  MetricsRegistry& metrics_;
  log::Runtime& log_;
  Routers routers_;
  OfferedObjects offered_;
  std::vector<std::unique_ptr<Member>> members_;
  std::size_t started_ = 0;
};

}  // namespace backplane::host
