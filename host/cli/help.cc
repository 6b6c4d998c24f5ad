#include <algorithm>

#include "host/cli/command_line.h"

namespace backplane::host {
namespace {

constexpr std::string_view global_flags =
    "  --config PATH  the config file (default: $BACKPLANE_CONFIG, ./backplane.yaml, /etc/backplane/backplane.yaml)\n"
    "  --help         show this help\n";

constexpr std::string_view exit_codes =
    "Exit codes:\n"
    "  0  all is well\n"
    "  1  faults in config, plugins, wiring or what was asked for; they were printed\n"
    "  2  the command line is wrong\n"
    "  3  the server could not start (a port in use, a database that cannot be opened)\n"
    "  4  the server failed while running\n";

/// `  left   right`, the right ones below each other.
std::string columns(const std::vector<std::pair<std::string, std::string>>& rows) {
  std::size_t width = 0;
  for (const auto& [left, right] : rows) width = std::max(width, left.size());
  std::string out;
  for (const auto& [left, right] : rows)
    out.append("  ").append(left).append(width - left.size() + 2, ' ').append(right).append("\n");
  return out;
}

}  // namespace

std::string program_help(std::span<const CommandInfo> commands) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const CommandInfo& command : commands)
    rows.emplace_back(command.name + (command.operands.empty() ? "" : " " + command.operands), command.summary);
  rows.emplace_back("help COMMAND", "show a command's help");
  return "Backplane, a Matrix homeserver made of plugins.\n\nUsage: backplane COMMAND [OPTIONS]\n\nCommands:\n" +
         columns(rows) + "\nOptions of every command:\n" + std::string(global_flags) +
         "\nTo begin:\n  backplane generate-config --server-name example.org\n  backplane run\n\n" +
         std::string(exit_codes);
}

std::string command_help(const CommandInfo& command) {
  std::string out = "Usage: backplane " + command.name + (command.operands.empty() ? "" : " " + command.operands) +
                    " [OPTIONS]\n\n" + command.description + "\n";
  std::vector<std::pair<std::string, std::string>> rows;
  for (const FlagInfo& flag : command.flags)
    rows.emplace_back(flag.name + (flag.argument.empty() ? "" : " " + flag.argument), flag.doc);
  rows.emplace_back("--config PATH",
                    "the config file (default: $BACKPLANE_CONFIG, ./backplane.yaml, /etc/backplane/backplane.yaml)");
  rows.emplace_back("--help", "show this help");
  out += "\nOptions:\n" + columns(rows);
  if (!command.examples.empty()) out += "\nExamples:\n";
  for (const std::string& example : command.examples) out += "  " + example + "\n";
  return out + "\n" + std::string(exit_codes);
}

}  // namespace backplane::host
