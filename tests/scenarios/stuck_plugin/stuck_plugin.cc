// Plays a server that never answers: GET /_stuck parks on a deferred call that nobody completes.
#include <mutex>
#include <vector>

#include "backplane/plugin/entry.h"

namespace {

using namespace backplane;

struct Stuck : api::Interface {
  static constexpr std::string_view interface_id = "org.example.stuck/1";
  Stuck() : Interface(interface_id) {}
  api::DeferredMethod<api::Nothing, api::Nothing> wait{*this, "wait"};
};

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
    const Stuck& remote = wiring.require<Stuck>(plugin::Need::late);
    const http::RouteOptions options{http::Authentication::none, http::no_body, http::RateClass::none};
    wiring.routes(http::Surface::client, nullptr)
        .add_parking(http::Method::get, "/_stuck", options, [&remote](const http::Request&, http::Responder responder) {
          remote.wait({}, {}, [responder](const Result<api::Nothing>&) { responder.complete(http::Response::empty_object()); });
        });
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
