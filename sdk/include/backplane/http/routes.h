// How a plugin says which requests it answers. Every route states who may call it, how large its body may be and
// what its calls count as; the host enforces all three before the handler runs.
//
// Patterns are absolute paths whose segments are literals, `{name}` (one segment, decoded), alternatives
// (`r0|v3`), or last `{name...}` (the rest). A literal wins over a parameter.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "backplane/base/clock.h"
#include "backplane/base/export.h"
#include "backplane/base/result.h"
#include "backplane/http/message.h"

namespace backplane::http {

/// Which listeners serve a route (`serves:` in config), and which worker pool runs it.
enum class Surface : std::uint8_t { client, federation, media, internal };
BACKPLANE_API std::string_view to_string(Surface surface);

/// What the route's caller must show, in the specification's terms.
enum class Authentication : std::uint8_t { none, optional, guest, required, appservice, federation_signature };

/// Which limit a call counts against (`rate_limits` in config).
enum class RateClass : std::uint8_t { none, read, write, login, registration };
BACKPLANE_API std::string_view to_string(RateClass rate);

struct RouteOptions {
  Authentication authentication;
  std::size_t body_limit;  ///< bytes; 0: the route takes no body
  RateClass rate;
  Duration deadline = std::chrono::seconds(30);
};

/// The body limit of routes that take an event or less.
inline constexpr std::size_t small_body = 256 * 1024;
inline constexpr std::size_t no_body = 0;

/// Answers a request later, from any thread. Copies share one answer: the first completion counts, later ones do
/// nothing. A responder whose last copy is gone without an answer answers 500.
class BACKPLANE_API Responder {
 public:
  class Channel;
  explicit Responder(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}
  /// Whether this completion was the one that counted.
  bool complete(Response response) const;
  bool completed() const;
  /// `gone` runs once if the client hangs up first (at once, if it has already), on any thread; not after a completion.
  void on_abandoned(std::function<void()> gone) const;

 private:
  std::shared_ptr<Channel> channel_;
};

/// The listener's side of a Responder.
class BACKPLANE_API Responder::Channel {
 public:
  virtual ~Channel();
  virtual bool complete(Response response) = 0;
  virtual bool completed() const = 0;
  virtual void on_abandoned(std::function<void()> gone) = 0;
};

/// Runs on a worker thread and may block, within the request's deadline.
using Handler = std::function<Result<Response>(const Request&)>;
/// Runs on a worker thread, must not wait for anything distant, and keeps the responder for later.
using ParkingHandler = std::function<void(const Request&, Responder)>;

/// Checks what a request shows. Called on a worker thread, may block.
class BACKPLANE_API Authenticator {
 public:
  virtual ~Authenticator();
  /// Empty when nothing was shown and `level` is optional. Errors go to the client as they are.
  virtual Result<std::shared_ptr<const Identity>> authenticate(const Request& request, Authentication level) = 0;
};

/// A plugin's registration object; valid during wire().
class BACKPLANE_API Routes {
 public:
  virtual ~Routes();
  virtual void add(Method method, std::string_view pattern, RouteOptions options, Handler handler) = 0;
  virtual void add_parking(Method method, std::string_view pattern, RouteOptions options, ParkingHandler handler) = 0;
};

}  // namespace backplane::http
