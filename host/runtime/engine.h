// What the commands do with plugins and servers, in this program.
#pragma once

#include <memory>

#include "host/cli/server_control.h"
#include "host/plugins/plugin_file.h"
#include "host/plugins/resolve.h"
#include "host/runtime/server.h"

namespace backplane::host {

class HostEngine final : public Engine {
 public:
  Discovery discover(const Config& config) override;
  std::vector<Fault> check(const Config& config) override;
  std::string wiring(const Config& config, WiringFormat format, std::vector<Fault>& faults) override;
  std::unique_ptr<ServerControl> make_server(const Config& config, std::vector<Fault>& faults) override;
  std::vector<Fault> create_user(const Config& config, const NewUser& user) override;
  std::vector<Fault> move_databases(const Config& to, const DatabaseMove& move, std::ostream& out) override;
  std::vector<Fault> check_databases(const Config& config, std::ostream& out) override;
  std::vector<Fault> restore(const Config& config, std::ostream& out) override;
};

/// The plugins that run here, checked against each other and those on other hosts; incomplete when there are faults.
ChosenPlugins choose_plugins(const Config& config, Faults& faults);
/// Where the log goes; nullptr with a fault.
std::unique_ptr<LogSink> sink_of(const Config& config, Faults& faults);

/// Every enabled plugin, on whichever host it runs, for commands that look after databases: configured, nothing opened.
struct EveryPlugin {
  std::unique_ptr<LogSink> sink;
  std::unique_ptr<Server> server;  ///< of no use when there are faults
};
EveryPlugin prepare_every_plugin(const Config& config, Faults& faults);

}  // namespace backplane::host
