// How the program ends, for scripts and service managers. The same in every command; help and
// docs/operators/commands.md list them.
#pragma once

namespace backplane::host {

enum ExitCode : int {
  exit_ok = 0,
  exit_faults = 1,           ///< config, plugins or what was asked for are at fault; the faults were printed
  exit_usage = 2,            ///< the command line is wrong
  exit_could_not_start = 3,  ///< a port in use, a database that cannot be opened, …
  exit_failed = 4,           ///< failed while running
};

}  // namespace backplane::host
