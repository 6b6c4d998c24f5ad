// What the commands need of the rest of the host. The program gives them the real thing, tests a fake.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "backplane/plugin/manifest.h"
#include "host/config/config.h"
#include "host/config/fault.h"

namespace backplane::host {

/// A server that was made and not yet started.
class ServerControl {
 public:
  virtual ~ServerControl() = default;
  /// Opens stores, starts plugins, opens listeners. On faults everything is stopped again. Called once.
  virtual std::vector<Fault> start() = 0;
  /// Finishes what it has begun, until drain_timeout, then stops. Called once, after start.
  virtual void drain_and_stop() = 0;
  /// Ends a drain that is under way: what is not done is given up. Any thread.
  virtual void stop_at_once() = 0;
  /// Takes what can be reloaded: the log's level, TLS certificates, reloadable options. On the thread of start.
  virtual std::vector<Fault> reload(const Config& config) = 0;
  /// Writes to the log what the server is doing. Any thread, also while it starts or is stuck.
  virtual void dump_state() = 0;
};

struct DiscoveredPlugin {
  plugin::Manifest manifest;
  std::string file;  ///< the shared object
};

struct Discovery {
  std::vector<DiscoveredPlugin> plugins;
  std::vector<Fault> faults;
};

enum class WiringFormat : std::uint8_t { text, dot, markdown };

struct NewUser {
  std::string localpart;
  std::string password;
  bool admin = false;
};

/// A move of the databases from SQLite to PostgreSQL.
struct DatabaseMove {
  std::string from;         ///< the data folder with the SQLite files; of a stopped server
  bool start_over = false;  ///< what a move that did not end has left is dropped
};

class Engine {
 public:
  virtual ~Engine() = default;
  /// Reads the manifests in plugin_dirs, of enabled and disabled plugins; runs no plugin code.
  virtual Discovery discover(const Config& config) = 0;
  /// Everything that can be known before start and that load_config does not see: plugins' files, names and options,
  /// the wiring, and what every plugin's configure says.
  virtual std::vector<Fault> check(const Config& config) = 0;
  /// The graph of the enabled plugins; empty with faults.
  virtual std::string wiring(const Config& config, WiringFormat format, std::vector<Fault>& faults) = 0;
  /// Does what check does and loads the plugins; nullptr with faults.
  virtual std::unique_ptr<ServerControl> make_server(const Config& config, std::vector<Fault>& faults) = 0;
  /// Makes an account; the server may be running or stopped.
  virtual std::vector<Fault> create_user(const Config& config, const NewUser& user) = 0;
  /// Moves the databases of every enabled plugin, on whichever host it runs, to the PostgreSQL of `to`, and tells on
  /// `out` how far it is.
  virtual std::vector<Fault> move_databases(const Config& to, const DatabaseMove& move, std::ostream& out) = 0;
  /// Looks in the databases of every enabled plugin, on whichever host it runs, for what may not be there, and tells on
  /// `out` what it has looked at; the server may be running or stopped.
  virtual std::vector<Fault> check_databases(const Config& config, std::ostream& out) = 0;
  /// After databases were put back from a backup, while no host of the server runs: every log, on whichever host,
  /// begins another history. Tells on `out` what follows from that.
  virtual std::vector<Fault> restore(const Config& config, std::ostream& out) = 0;
};

}  // namespace backplane::host
