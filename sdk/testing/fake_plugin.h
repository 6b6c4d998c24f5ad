// A plugin in a FakeHost, and what it declared.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backplane/plugin/plugin.h"
#include "backplane/testing/fake_host.h"
#include "fake_metrics.h"
#include "fake_store.h"

namespace backplane::testing {

using OfferedObjects = std::map<std::string, void*, std::less<>>;

struct FakePlugin {
  using Owned = std::unique_ptr<plugin::Plugin, std::function<void(plugin::Plugin*)>>;
  std::string name;
  plugin::Options options;
  FakeMetrics metrics;
  FakeStore store;
  bool has_store = false;
  plugin::StoreOptions store_options;
  std::vector<api::Interface*> provided;
  std::vector<std::unique_ptr<api::Interface>> needs;
  Owned plugin;  ///< destroyed first
};

class FakeWiring final : public plugin::Wiring {
 public:
  FakeWiring(FakePlugin& plugin, log::Log& log, std::vector<FakeRoute>& routes, OfferedObjects& offered);
  ~FakeWiring() override;
  void provide(api::Interface& interface) override { plugin_.provided.push_back(&interface); }
  http::Routes& routes(http::Surface surface, http::Authenticator* authenticator) override;
  storage::Store& store(plugin::StoreOptions options) override;
  log::Log& log() override { return log_; }
  Metrics& metrics() override { return plugin_.metrics; }

 protected:
  void adopt(std::unique_ptr<api::Interface> instance, plugin::Need) override {
    plugin_.needs.push_back(std::move(instance));
  }
  void offer_object(std::string_view id, void* object) override { offered_.insert_or_assign(std::string(id), object); }
  void* find_object(std::string_view id) override;

 private:
  class Routes;
  FakePlugin& plugin_;
  log::Log& log_;
  std::vector<FakeRoute>& routes_;
  OfferedObjects& offered_;
  std::vector<std::unique_ptr<http::Routes>> faces_;
};

}  // namespace backplane::testing
