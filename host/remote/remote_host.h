// Another host of this server, as this one calls it: its address, and connections that are kept for the next call.
// A blocking call waits for its answer on the caller's thread; a deferred one on the loop's, so that it holds none.
// Knows nothing of interfaces: what goes where is the router's (call_router.h).
//
// Any thread. Outlives every router; the loop is stopped before it goes.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "backplane/base/clock.h"
#include "backplane/base/metrics.h"
#include "backplane/base/result.h"
#include "host/remote/call_connection.h"
#include "host/remote/call_loop.h"

namespace backplane::host {

/// A request to another host.
struct RemoteRequest {
  std::string path;
  std::string headers;  ///< further ones, each line with its end
  std::string body;
  Instant deadline{};
  bool repeatable = false;
  std::stop_token stop{};
};

/// What became of it.
struct Attempt {
  enum class Fate : std::uint8_t {
    answered,
    not_begun,  ///< the host cannot be reached, or is too busy to begin: nothing was done
    lost,       ///< the connection broke: it may have been done
    too_late,   ///< the deadline came: it may have been done
    cancelled,  ///< the caller has gone, or this process stops
  };
  Fate fate = Fate::not_begun;
  int status = 0;    ///< of an answer
  std::string text;  ///< the answer's body, or why there is none
};

class RemoteHost {
 public:
  struct Options {
    std::string name;  ///< as in config
    std::string url;   ///< of its internal listener, such as http://10.0.0.2:8010
    std::string shared_secret;
    std::shared_ptr<const TlsContext> tls;  ///< for a https URL
  };
  /// The references outlive it; `metrics` is the view of the host's calls.
  RemoteHost(Options options, Clock& clock, CallLoop& loop, Metrics& metrics);
  ~RemoteHost();
  RemoteHost(const RemoteHost&) = delete;
  RemoteHost& operator=(const RemoteHost&) = delete;

  /// For connections that are opened from now on.
  void set_tls(std::shared_ptr<const TlsContext> tls);

  const std::string& name() const { return options_.name; }
  const std::string& url() const { return options_.url; }

  /// Waits for the answer.
  Attempt call(const RemoteRequest& request);
  /// `finish` runs once, on the loop's thread or on this one: it must not wait.
  using Finish = std::function<void(Attempt)>;
  void call_later(RemoteRequest request, Finish finish);

 private:
  struct Deferred;
  using Connection = std::unique_ptr<CallConnection>;

  Connection take();
  Result<Connection> open();
  void give_back(Connection connection);
  Result<std::shared_ptr<const SocketAddresses>> addresses();
  void forget_addresses();
  std::string message(const RemoteRequest& request) const;
  Attempt not_reached(const std::string& why);
  Attempt answered(Connection connection);
  CallLoop::End drive(CallConnection& connection, const RemoteRequest& request) const;
  bool send_again(const RemoteRequest& request, bool kept, const CallConnection& connection) const;
  Attempt over(Connection connection, CallLoop::End how);
  void go_on(const std::shared_ptr<Deferred>& deferred);

  const Options options_;
  Clock& clock_;
  CallLoop& loop_;
  std::string host_, port_, path_;  // of the URL
  bool encrypted_ = false;
  std::string common_headers_;
  Counter& retries_;
  Gauge& open_;
  std::atomic<std::size_t> deferred_{0};
  struct Kept {
    Connection connection;
    Instant since;
  };
  std::mutex mutex_;
  std::vector<Kept> kept_;                            // mutex_; the last one was used last
  std::shared_ptr<const SocketAddresses> addresses_;  // mutex_
  Instant resolved_{};                                // mutex_
  std::shared_ptr<const TlsContext> tls_;             // mutex_
};

}  // namespace backplane::host
