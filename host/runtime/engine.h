// What the commands do with plugins and servers, in this program.
#pragma once

#include <memory>

#include "host/cli/server_control.h"
#include "host/plugins/plugin_file.h"
#include "host/plugins/resolve.h"

namespace backplane::host {

class HostEngine final : public Engine {
 public:
  Discovery discover(const Config& config) override;
  std::vector<Fault> check(const Config& config) override;
  std::string wiring(const Config& config, WiringFormat format, std::vector<Fault>& faults) override;
  std::unique_ptr<ServerControl> make_server(const Config& config, std::vector<Fault>& faults) override;
  std::vector<Fault> create_user(const Config& config, const NewUser& user) override;
};

/// The plugins that run here, in starting order, checked against each other; incomplete when there are faults.
std::vector<PluginFile> choose_plugins(const Config& config, Faults& faults);

}  // namespace backplane::host
