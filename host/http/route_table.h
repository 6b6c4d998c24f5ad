// Which handler answers a path. Patterns of every plugin are kept as one tree of segments, so that a look-up costs the
// length of the path and not the number of routes, and that two plugins that want the same path are found at start.
//
// Filled before the listener starts, then read by every I/O thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/executor.h"
#include "backplane/base/metrics.h"
#include "backplane/base/result.h"
#include "backplane/http/routes.h"

namespace backplane::host {

/// A set of surfaces, as a listener serves them.
class Surfaces {
 public:
  constexpr Surfaces() = default;
  constexpr Surfaces(std::initializer_list<http::Surface> list) {
    for (const http::Surface surface : list) bits_ |= bit(surface);
  }
  static constexpr Surfaces all() {
    return {http::Surface::client, http::Surface::federation, http::Surface::media, http::Surface::internal};
  }
  constexpr void add(http::Surface surface) { bits_ |= bit(surface); }
  constexpr bool has(http::Surface surface) const { return (bits_ & bit(surface)) != 0; }

 private:
  static constexpr unsigned bit(http::Surface surface) { return 1U << static_cast<unsigned>(surface); }
  unsigned bits_ = 0;
};

/// Which pool runs a request, where it is not that of the route's surface (nullptr). Called on an I/O thread.
using PoolChoice = std::function<Executor*(const http::Request&)>;

struct Route {
  std::string plugin;
  http::Surface surface = http::Surface::client;
  http::Method method = http::Method::get;
  std::string pattern;
  http::RouteOptions options{};
  http::Authenticator* authenticator = nullptr;
  http::Handler handler;  ///< one of the two is set
  http::ParkingHandler parking;
  PoolChoice pool;  ///< empty: the surface's
  /// Requests by status class (0: others), made when first needed.
  mutable std::array<std::atomic<Counter*>, 6> requests{};
};

struct RouteMatch {
  const Route* route = nullptr;             ///< nullptr: none for this method
  std::vector<http::NameValue> parameters;  ///< decoded
  std::vector<http::Method> allowed;        ///< the path's other methods, when there is no route
};

class RouteTable {
 public:
  RouteTable();
  ~RouteTable();

  /// Errors: invalid/bad_pattern; conflict/duplicate_route, naming both plugins.
  Result<void> add(std::unique_ptr<Route> route);
  /// `path` still encoded. A method that the SDK does not know matches no route. HEAD falls back to GET. Errors:
  /// invalid/invalid_param for a path that does not decode to UTF-8.
  Result<RouteMatch> find(Surfaces surfaces, std::optional<http::Method> method, std::string_view path) const;
  const std::vector<std::unique_ptr<Route>>& routes() const { return routes_; }

 private:
  struct Node;
  struct Search;
  std::unique_ptr<Node> root_;
  std::vector<std::unique_ptr<Route>> routes_;
};

}  // namespace backplane::host
