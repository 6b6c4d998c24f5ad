// The life of a server process between start and end, as signals drive it.
#pragma once

#include <functional>
#include <ostream>

#include "host/cli/server_control.h"

namespace backplane::host {

/// Starts the server and runs it until TERM or INT, which drain it (a second one ends the drain, a third one the
/// process). HUP loads config with `load` and reloads; QUIT dumps its state. Signals must be blocked
/// (cli/signals.h). Answers the exit code; faults go to `err`.
int run_server(ServerControl& server, const std::function<LoadedConfig()>& load, std::ostream& err);

}  // namespace backplane::host
