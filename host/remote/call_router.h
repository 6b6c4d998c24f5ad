// Where the calls of an interface go that another host provides, or several do (an interface with one provider in this
// process needs no router: its consumers call it directly).
//
// Routing::any: to the provider in this process; without one, to one of the others, and from then on to the same, until
// it cannot be reached. Routing::key: to the owner of the key's shard, as far as it is known: it is guessed, learnt
// from what hosts answer that do not own it, and looked for while shards move, within the call's deadline.
//
// What may have been done is sent again only if the method is repeatable. Any thread; made, and told of the provider
// here, before interfaces are bound.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/api/method.h"
#include "backplane/base/clock.h"
#include "backplane/base/executor.h"
#include "backplane/base/metrics.h"
#include "backplane/log/position.h"
#include "backplane/storage/store.h"
#include "host/remote/call_course.h"
#include "host/remote/remote_host.h"

namespace backplane::host {

class CallRouter {
 public:
  struct Provider {
    std::string host;
    RemoteHost* remote = nullptr;  ///< nullptr: this process
  };
  /// They outlive the router. `completions` runs what follows a deferred call; `metrics` is the view of the host's
  /// calls.
  struct Parts {
    Clock& clock;
    CallLoop& loop;
    Executor& completions;
    Metrics& metrics;
    /// Whether what nobody has begun to do waits for a host that went only just now; nullptr: it does not.
    const std::atomic<bool>* patient = nullptr;
  };
  /// `plugin` is what provides the interface, on these hosts, which are in the same order on every host: the first
  /// guess of a shard's owner depends on it. `this_host` decides which of them is asked first where any will do.
  CallRouter(std::string plugin, std::string_view this_host, std::vector<Provider> providers, Parts parts);
  ~CallRouter();
  CallRouter(const CallRouter&) = delete;
  CallRouter& operator=(const CallRouter&) = delete;

  const std::string& plugin() const { return plugin_; }
  /// The provider in this process, and the store whose shards decide what it may answer (nullptr: it owns them all).
  void set_local(const api::Interface& provider, const storage::Store* store);
  /// Binds every method: directly to the provider here where any will do, else through this router.
  void bind(api::Interface& consumer);

 private:
  struct Bound;
  struct Later;
  struct Outcome;

  std::optional<std::size_t> find_host(std::string_view name) const;
  /// Who is asked first.
  std::size_t first_of(const Bound& bound, std::optional<std::uint16_t> shard);
  std::size_t next_in_turn();
  /// Notes that the provider was there, or was not.
  void note(std::size_t provider, const Outcome& outcome);
  /// Until when those who went only just now are waited for.
  Instant back_by() const;
  std::optional<std::uint16_t> shard_of(const api::MethodBase& method, std::string_view body) const;
  std::optional<Outcome> refused_here(std::optional<std::uint16_t> shard) const;
  Outcome outcome_of(const Bound& bound, const RemoteHost& host, Attempt attempt) const;
  Outcome outcome_here(Result<std::shared_ptr<void>> result) const;
  CallCourse::Step next(const Bound& bound, CallCourse& course, std::optional<std::uint16_t> shard, Outcome& outcome);
  RemoteRequest request_to(const Bound& bound, const api::CallContext& context, std::string body,
                           Instant deadline) const;
  void call(const std::shared_ptr<Bound>& bound, const api::CallContext& context, const void* request,
            const api::MethodBase::Finish& finish);
  void call_later(const std::shared_ptr<Bound>& bound, const api::CallContext& context, const void* request,
                  api::MethodBase::Finish finish);
  void go_on(const std::shared_ptr<Later>& later, const void* request);
  void went(const std::shared_ptr<Later>& later, Outcome outcome);
  /// Whether an attempt is given up before the call's deadline.
  bool leaves_early(const api::MethodBase& method) const;
  bool pause(Duration time, const std::stop_token& stop) const;

  const std::string plugin_;
  const std::vector<Provider> providers_;
  const Parts parts_;
  const api::Interface* local_ = nullptr;
  const storage::Store* store_ = nullptr;
  std::atomic<std::size_t> preferred_;  ///< of routing any, for what may be asked twice
  std::atomic<std::size_t> turn_{0};    ///< of routing any, for what may not
  std::array<std::atomic<Instant>, CallCourse::max_providers> avoided_until_{};  ///< who said nothing has no turn
  std::array<std::atomic<Instant>, CallCourse::max_providers> gone_since_{};     ///< none: it was there last time
  std::array<std::atomic<std::size_t>, log::lane_count> owners_;                 ///< of shards, as far as is known
};

}  // namespace backplane::host
