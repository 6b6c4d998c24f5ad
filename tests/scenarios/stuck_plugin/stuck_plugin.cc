// Provides the interface whose calls are never answered.
#include <mutex>
#include <vector>

#include "backplane/plugin/entry.h"
#include "stuck_plugin/stuck.h"

namespace {

using namespace backplane;

class StuckPlugin final : public plugin::Plugin {
 public:
  explicit StuckPlugin(plugin::Host&) {
    stuck_.wait.bind([this](const api::CallContext&, const api::Nothing&, api::Reply<api::Nothing> reply) {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(reply));
    });
  }

  Result<void> wire(plugin::Wiring& wiring) override {
    wiring.provide(stuck_);
    return {};
  }

  void stop() override {
    const std::lock_guard lock(mutex_);
    waiting_.clear();
  }

 private:
  Stuck stuck_;
  std::mutex mutex_;
  std::vector<api::Reply<api::Nothing>> waiting_;
};

}  // namespace

BACKPLANE_PLUGIN(StuckPlugin);
