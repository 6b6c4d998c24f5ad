// GET /_stuck parks on a call that nobody answers, as a route does that leads to another server.
#include "backplane/plugin/entry.h"
#include "stuck_plugin/stuck.h"

namespace {

using namespace backplane;

class StuckRoute final : public plugin::Plugin {
 public:
  explicit StuckRoute(plugin::Host&) {}

  Result<void> wire(plugin::Wiring& wiring) override {
    const Stuck& stuck = wiring.require<Stuck>(plugin::Need::hard);
    const http::RouteOptions options{http::Authentication::none, http::no_body, http::RateClass::none};
    wiring.routes(http::Surface::client, nullptr)
        .add_parking(http::Method::get, "/_stuck", options, [&stuck](const http::Request&, http::Responder responder) {
          responder.on_abandoned([responder] { responder.complete(http::Response::empty_object()); });
          stuck.wait({}, {},
                     [responder](const Result<api::Nothing>&) { responder.complete(http::Response::empty_object()); });
        });
    return {};
  }
};

}  // namespace

BACKPLANE_PLUGIN(StuckRoute);
