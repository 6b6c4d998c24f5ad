// One command of the program: its arguments, its help, and what it runs with. Each command is a function in a file of
// its own; command_line.cc has their table.
#pragma once

#include <istream>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "host/cli/exit_code.h"
#include "host/cli/server_control.h"
#include "host/config/environment.h"

namespace backplane::host {

/// What surrounds the program. Tests give their own.
struct Surroundings {
  Environment environment;
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  Engine& engine;
};

/// A command's parsed arguments and its surroundings.
class CommandContext {
 public:
  CommandContext(Surroundings& around, std::map<std::string, std::vector<std::string>> flags,
                 std::vector<std::string> operands)
      : around_(around), flags_(std::move(flags)), operands_(std::move(operands)) {}

  std::ostream& out() const { return around_.out; }
  std::ostream& err() const { return around_.err; }
  std::istream& in() const { return around_.in; }
  Engine& engine() const { return around_.engine; }
  const Environment& environment() const { return around_.environment; }
  bool has(const std::string& flag) const { return flags_.contains(flag); }
  /// The last value of the flag; `other` when it was not given.
  std::string value(const std::string& flag, std::string other = "") const;
  std::vector<std::string> values(const std::string& flag) const;
  const std::vector<std::string>& operands() const { return operands_; }

  /// The config file: --config, $BACKPLANE_CONFIG, ./backplane.yaml, /etc/backplane/backplane.yaml. Nothing when none
  /// of them is there; a file that was named is answered whether it is there or not.
  std::optional<std::string> config_path() const;
  /// Loads the config; prints its faults and answers nothing when there are any.
  std::optional<Config> load() const;
  /// As load, or the defaults when no file was named and none is there. For commands that look at plugins.
  std::optional<Config> load_or_defaults() const;
  /// Prints the faults (if any) and answers the exit code.
  int finish(const std::vector<Fault>& faults, int code = exit_faults) const;
  /// Prints a complaint about the command line.
  int usage(std::string_view complaint) const;

 private:
  Surroundings& around_;
  std::map<std::string, std::vector<std::string>> flags_;
  std::vector<std::string> operands_;
};

struct FlagInfo {
  std::string name;      ///< with its dashes
  std::string argument;  ///< as in help (`PATH`); empty for a flag without a value
  std::string doc;
};

struct CommandInfo {
  std::string name;      ///< one word or two: `plugins list`
  std::string operands;  ///< as in help: `NAME`
  std::size_t operand_count = 0;
  std::string summary;      ///< a line for the list of commands
  std::string description;  ///< for the command's own help
  std::vector<FlagInfo> flags;
  std::vector<std::string> examples;
  int (*run)(CommandContext& context) = nullptr;
};

int run_run(CommandContext& context);
int run_check_config(CommandContext& context);
int run_plugins_list(CommandContext& context);
int run_plugins_enable(CommandContext& context);
int run_plugins_disable(CommandContext& context);
int run_wiring(CommandContext& context);
int run_generate_config(CommandContext& context);
int run_generate_keys(CommandContext& context);
int run_users_create(CommandContext& context);
int run_migrate_database(CommandContext& context);
int run_restore(CommandContext& context);
int run_doctor(CommandContext& context);
int run_version(CommandContext& context);

}  // namespace backplane::host
