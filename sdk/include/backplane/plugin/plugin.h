// What a plugin is and what it gets. The host drives its life:
//
//   load       create(host): no side effects
//   configure  pure: check options against each other; also run by `backplane check-config`
//   wire       provide, require, declare routes, topics, timers, metrics and stores; must equal the manifest
//   start      in the order of hard needs; stores are open, hard needs can be called; requests come when all started
//   drain      in reverse order: answer what is parked, begin nothing new, until the deadline
//   stop       in reverse order: threads end, nothing is called any more
//   destroy
//
// Each is called once, on one thread. A fault before the end of `start` stops the server.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/api/method.h"
#include "backplane/base/clock.h"
#include "backplane/base/executor.h"
#include "backplane/base/export.h"
#include "backplane/base/logger.h"
#include "backplane/base/metrics.h"
#include "backplane/base/random.h"
#include "backplane/base/result.h"
#include "backplane/http/routes.h"
#include "backplane/log/log.h"
#include "backplane/plugin/manifest.h"
#include "backplane/plugin/options.h"
#include "backplane/storage/store.h"

namespace backplane::plugin {

/// Names one timer; 0 is none.
using TimerId = std::uint64_t;

/// Time's passing. Any thread.
class BACKPLANE_API Timers {
 public:
  virtual ~Timers();
  /// Runs `work` once at the instant, on a worker thread. Not in drain.
  virtual TimerId at(Instant when, std::function<void()> work) = 0;
  /// A timer that has not begun will not run.
  virtual void cancel(TimerId timer) = 0;
  /// Runs `work` again and again, with pauses of about `interval` (jittered), never overlapping, until drain.
  virtual void every(std::string_view name, Duration interval, std::function<void()> work) = 0;
};

/// The process as a plugin sees it. Lives longer than the plugin. Any thread.
class BACKPLANE_API Host {
 public:
  virtual ~Host();
  /// The server's name, as in @user:name.
  virtual const std::string& server_name() const = 0;
  /// A folder of the plugin's own for files that are no database (made on first use).
  virtual std::string data_folder(std::string_view plugin) = 0;
  virtual Clock& clock() = 0;
  virtual Random& random() = 0;
  virtual Logger logger(std::string_view plugin) = 0;
  /// One thread a core, for what computes and never waits: signatures, password hashes.
  virtual Executor& cpu_executor() = 0;
  /// For work in the background that may wait: for the disk, for other plugins, never for other servers.
  virtual Executor& worker_executor() = 0;
  virtual Timers& timers() = 0;
  /// Where clients reach this server (`public_base_url`), without a slash at the end.
  virtual const std::string& public_base_url() const = 0;
  /// An older host answers nullptr for what it does not know.
  virtual void* extension(std::string_view id) = 0;
};

struct StoreOptions {
  std::vector<storage::Migration> migrations;
  /// Between the hosts that run the plugin, where it runs on several.
  storage::Sharing sharing = storage::Sharing::exclusive;
  std::vector<storage::Check> checks = {};
};

/// Everything a plugin declares, in wire().
class BACKPLANE_API Wiring {
 public:
  virtual ~Wiring();
  /// Offers an interface whose methods are bound; it must live as long as the plugin.
  virtual void provide(api::Interface& interface) = 0;
  /// An interface of this consumer's own, connected before start. `wire` as in the manifest.
  template <class I>
  I& require(Need need = Need::hard) {
    auto instance = std::make_unique<I>();
    I& reference = *instance;
    adopt(std::move(instance), need);
    return reference;
  }
  /// Offers an object of an abstract class to plugins of this process (extension points).
  template <class T>
  void offer(T& object) {
    offer_object(T::interface_id, &object);
  }
  /// Such an object, from start on; nullptr when nobody offers one. Call it from start().
  template <class T>
  T* find() {
    return static_cast<T*>(find_object(T::interface_id));
  }

  /// Routes of a surface. `authenticator` checks what their callers show; it must live as long as the plugin, and may
  /// be nullptr when every route's level is `none`.
  virtual http::Routes& routes(http::Surface surface, http::Authenticator* authenticator) = 0;
  /// The plugin's database, opened and migrated before start.
  virtual storage::Store& store(StoreOptions options) = 0;
  virtual log::Log& log() = 0;
  virtual Metrics& metrics() = 0;

 protected:
  virtual void adopt(std::unique_ptr<api::Interface> instance, Need need) = 0;
  virtual void offer_object(std::string_view id, void* object) = 0;
  virtual void* find_object(std::string_view id) = 0;
};

class BACKPLANE_API Plugin {
 public:
  virtual ~Plugin();
  /// Every fault of the options that their types cannot express, each a sentence that says what to do.
  virtual std::vector<std::string> configure(const Options& options);
  virtual Result<void> wire(Wiring& wiring) = 0;
  virtual Result<void> start();
  virtual void drain(Instant deadline);
  virtual void stop();
  /// For what later versions add.
  virtual void* extension(std::string_view id);
};

}  // namespace backplane::plugin
