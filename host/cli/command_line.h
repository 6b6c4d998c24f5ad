// The program's command line: finds the command, parses its arguments, prints help, runs it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "host/cli/command.h"

namespace backplane::host {

/// Every command, in the order of the help.
std::vector<CommandInfo> command_table();
/// `arguments` without the program's name. Answers the exit code.
int run_command_line(const std::vector<std::string>& arguments, Surroundings& around);
/// What `main` does after blocking signals (cli/signals.h): the process's own streams and environment.
int run_command_line(int argc, char** argv, Engine& engine);

/// Help for all commands, and for one.
std::string program_help(std::span<const CommandInfo> commands);
std::string command_help(const CommandInfo& command);

}  // namespace backplane::host
