#include "host/cli/command_line.h"

#include <algorithm>
#include <exception>
#include <iostream>

#include "host/cli/signals.h"

namespace backplane::host {
namespace {

std::string join(std::span<const std::string> words) {
  std::string out;
  for (const auto& word : words) out.append(out.empty() ? "" : " ").append(word);
  return out;
}

/// The command that the words begin with; nullptr when there is none. `--config PATH` may come before it.
const CommandInfo* find_command(std::span<const CommandInfo> commands, std::span<const std::string> words) {
  for (const CommandInfo& command : commands) {
    const std::size_t length = command.name.find(' ') == std::string::npos ? 1 : 2;
    if (words.size() >= length && join(words.first(length)) == command.name) return &command;
  }
  return nullptr;
}

int unknown_command(std::span<const CommandInfo> commands, std::span<const std::string> words, std::ostream& err) {
  std::vector<std::string> names{"help"};
  std::vector<std::string> below;  // `plugins` alone, or `plugins lst`
  for (const CommandInfo& command : commands) {
    names.push_back(command.name);
    if (command.name.starts_with(words[0] + " ")) below.push_back(command.name);
  }
  const std::string given = join(words.first(below.empty() ? 1 : std::min<std::size_t>(2, words.size())));
  std::string fix;
  if (below.empty()) fix = suggest(given, names, "`backplane help` lists the commands");
  else if (given != words[0]) fix = suggest(given, below, "write one of its commands");
  else
    for (const auto& name : below) fix.append(fix.empty() ? "write " : " or ").append(name);
  err << Fault{"there is no command '" + given + "'", "", fix, "", 0};
  return exit_usage;
}

struct Parsed {
  std::map<std::string, std::vector<std::string>> flags;
  std::vector<std::string> operands;
  std::string complaint, fix;
};

/// `--flag value`, `--flag=value`, operands in any place; after `--` operands only.
Parsed parse(std::span<const std::string> words, const CommandInfo& command) {
  Parsed out;
  std::vector<FlagInfo> known = command.flags;
  known.push_back({"--config", "PATH", ""});
  known.push_back({"--help", "", ""});
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") {
      out.operands.insert(out.operands.end(), words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
      break;
    }
    if (word == "-" || !word.starts_with('-')) {
      out.operands.push_back(word);
      continue;
    }
    const auto equals = word.find('=');
    const std::string name = word == "-h" ? "--help" : word.substr(0, equals);
    const auto flag = std::ranges::find(known, name, &FlagInfo::name);
    if (flag == known.end()) {
      std::vector<std::string> names;
      for (const auto& candidate : known) names.push_back(candidate.name);
      out.complaint = "unknown option '" + name + "' of command " + command.name;
      out.fix = suggest(name, names, "`backplane help " + command.name + "` lists its options");
      return out;
    }
    if (flag->argument.empty() != (equals == std::string::npos) && flag->argument.empty()) {
      out.complaint = "option '" + name + "' takes no value";
      out.fix = "write " + name + " alone";
      return out;
    }
    if (flag->argument.empty()) {
      out.flags[name].push_back("");
    } else if (equals != std::string::npos) {
      out.flags[name].push_back(word.substr(equals + 1));
    } else if (++i < words.size()) {
      out.flags[name].push_back(words[i]);
    } else {
      out.complaint = "option '" + name + "' needs a value";
      out.fix = "write " + name + " " + flag->argument;
      return out;
    }
  }
  if (out.flags.contains("--help") || out.operands.size() == command.operand_count) return out;
  if (out.operands.size() < command.operand_count)
    out.complaint = "command " + command.name + " needs " + command.operands;
  else out.complaint = "command " + command.name + " does not take '" + out.operands[command.operand_count] + "'";
  out.fix = "write backplane " + command.name + (command.operands.empty() ? "" : " " + command.operands);
  return out;
}

int print_help(std::span<const CommandInfo> commands, std::span<const std::string> words, Surroundings& around) {
  if (words.empty() || words[0].starts_with('-')) {
    around.out << program_help(commands);
    return exit_ok;
  }
  const CommandInfo* command = find_command(commands, words);
  if (command == nullptr) return unknown_command(commands, words, around.err);
  around.out << command_help(*command);
  return exit_ok;
}

/// Options of every command may come before it: they go behind it.
std::vector<std::string> command_first(std::vector<std::string> words) {
  std::size_t begin = 0;
  while (begin < words.size() && words[begin].starts_with("--config")) begin += words[begin] == "--config" ? 2 : 1;
  if (begin < words.size() && !words[begin].starts_with('-'))
    std::rotate(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(begin), words.end());
  return words;
}

}  // namespace

int run_command_line(const std::vector<std::string>& arguments, Surroundings& around) {
  const std::vector<CommandInfo> commands = command_table();
  if (arguments.empty()) {
    around.err << program_help(commands);
    return exit_usage;
  }
  const std::vector<std::string> all = command_first(arguments);
  const std::span<const std::string> words(all);
  if (words[0] == "help") return print_help(commands, words.subspan(1), around);
  if (words[0] == "--help" || words[0] == "-h") return print_help(commands, {}, around);
  const std::vector<std::string> version{"version"};
  const bool asks_version = words[0] == "--version";
  const CommandInfo* command = find_command(commands, asks_version ? std::span(version) : words);
  if (command == nullptr) return unknown_command(commands, words, around.err);
  const auto rest = words.subspan(command->name.find(' ') == std::string::npos ? 1 : 2);
  Parsed parsed = parse(rest, *command);
  if (!parsed.complaint.empty()) {
    around.err << Fault{parsed.complaint, "", parsed.fix, "", 0};
    return exit_usage;
  }
  if (parsed.flags.contains("--help")) {
    around.out << command_help(*command);
    return exit_ok;
  }
  CommandContext context(around, std::move(parsed.flags), std::move(parsed.operands));
  if (command->run != run_run) unblock_signals();
  return command->run(context);
}

int run_command_line(int argc, char** argv, Engine& engine) {
  Surroundings around{process_environment(), std::cin, std::cout, std::cerr, engine};
  try {
    const int code = run_command_line(std::vector<std::string>(argv + 1, argv + argc), around);
    std::cout.flush();
    return code;
  } catch (const std::exception& error) {
    std::cerr << Fault{"the program failed", error.what(), "this is a fault of Backplane: please report it", "", 0};
    return exit_failed;
  }
}

}  // namespace backplane::host
