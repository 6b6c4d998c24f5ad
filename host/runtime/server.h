// One Backplane server: the plugins that run in this process and everything around them. Several may live in one
// process; nothing is shared between them but the machine.
//
//   Server server(config, files, parts);
//   if (auto faults = server.prepare(); faults.empty()) faults = server.start();
//   …
//   server.drain_and_stop();
//
// One thread but where ServerControl says otherwise.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backplane/base/clock.h"
#include "backplane/base/logger.h"
#include "backplane/base/random.h"
#include "host/cli/server_control.h"
#include "host/config/config.h"
#include "host/plugins/placement.h"
#include "host/plugins/plugin_file.h"

namespace backplane::api {
class Interface;
}
namespace backplane::log {
struct NewHistories;
}

namespace backplane::host {

/// What a server gets from outside, so that tests can give it other things. They outlive it.
struct ServerParts {
  Clock& clock;
  Random& random;
  LogSink& log_sink;
};

/// What runs here, and where the rest does.
struct ChosenPlugins {
  std::vector<PluginFile> here;  ///< in starting order
  Placement placement;           ///< of all of them
};

struct DeclaredStore;

class Server final : public ServerControl {
 public:
  Server(Config config, ChosenPlugins plugins, ServerParts parts);
  ~Server() override;

  /// Loads and configures the plugins: what can be checked without touching anything.
  Faults prepare();
  /// Plugins wired, nothing opened: for a command that looks after their databases. Then declared_stores answers.
  Faults wire_plugins();
  std::vector<DeclaredStore> declared_stores() const;
  /// Plugins wired and started, stores open, but no logs and no listeners: for a command that calls one. It may run
  /// beside a server on the same data when the plugin's call publishes nothing.
  Faults start_plugins();
  /// Every log begins another history (log/runtime.h), while no server runs: for the command `restore`. Everything is
  /// closed again when it returns.
  Faults begin_histories(log::NewHistories& begun);

  Faults start() override;
  void drain_and_stop() override;
  void stop_at_once() override;
  Faults reload(const Config& config) override;
  void dump_state() override;

  bool ready() const;
  /// Of a public listener, by its place in config.
  std::uint16_t port(std::size_t listener = 0) const;
  /// Of the operations listener; 0 when there is none.
  std::uint16_t operations_port() const;
  /// Connects an interface of the caller's own to its provider; false when nothing provides it.
  bool connect(api::Interface& interface) const;

 private:
  struct State;
  Faults start_plugins(bool guest);
  const std::unique_ptr<State> state_;
};

}  // namespace backplane::host
