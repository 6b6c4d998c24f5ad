#include "fake_plugin.h"

#include <utility>

namespace backplane::testing {

class FakeWiring::Routes final : public http::Routes {
 public:
  Routes(std::vector<FakeRoute>& routes, http::Surface surface, http::Authenticator* authenticator)
      : routes_(routes), surface_(surface), authenticator_(authenticator) {}
  void add(http::Method method, std::string_view pattern, http::RouteOptions options, http::Handler handler) override {
    routes_.push_back({surface_, authenticator_, method, std::string(pattern), options, std::move(handler), nullptr});
  }
  void add_parking(http::Method method, std::string_view pattern, http::RouteOptions options,
                   http::ParkingHandler handler) override {
    routes_.push_back({surface_, authenticator_, method, std::string(pattern), options, nullptr, std::move(handler)});
  }

 private:
  std::vector<FakeRoute>& routes_;
  const http::Surface surface_;
  http::Authenticator* const authenticator_;
};

FakeWiring::FakeWiring(FakePlugin& plugin, log::Log& log, std::vector<FakeRoute>& routes, OfferedObjects& offered)
    : plugin_(plugin), log_(log), routes_(routes), offered_(offered) {}
FakeWiring::~FakeWiring() = default;

http::Routes& FakeWiring::routes(http::Surface surface, http::Authenticator* authenticator) {
  faces_.push_back(std::make_unique<Routes>(routes_, surface, authenticator));
  return *faces_.back();
}

storage::Store& FakeWiring::store(plugin::StoreOptions options) {
  plugin_.has_store = true;
  plugin_.store_options = std::move(options);
  return plugin_.store;
}

void* FakeWiring::find_object(std::string_view id) {
  const auto it = offered_.find(id);
  return it != offered_.end() ? it->second : nullptr;
}

}  // namespace backplane::testing
