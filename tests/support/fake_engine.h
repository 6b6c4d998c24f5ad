// The rest of the host, as commands see it, without any. For tests.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "host/cli/command_line.h"
#include "host/cli/server_control.h"

namespace backplane::host {

class FakeServer : public ServerControl {
 public:
  explicit FakeServer(std::function<void(std::string)> tell = {}) : tell_(std::move(tell)) {}
  std::vector<Fault> start() override {
    tell("start");
    return start_faults;
  }
  void drain_and_stop() override { tell("drain"); }
  void stop_at_once() override { tell("stop at once"); }
  std::vector<Fault> reload(const Config& config) override {
    tell("reload " + std::string(to_string(config.log.level)));
    return {};
  }
  void dump_state() override { tell("dump"); }

  std::vector<Fault> start_faults;

 private:
  static std::string_view to_string(LogLevel level) { return level == LogLevel::debug ? "debug" : "other"; }
  void tell(std::string what) {
    if (tell_) tell_(std::move(what));
  }
  std::function<void(std::string)> tell_;
};

class FakeEngine : public Engine {
 public:
  Discovery discover(const Config&) override { return discovery; }
  std::vector<Fault> check(const Config&) override { return check_faults; }
  std::string wiring(const Config&, WiringFormat format, std::vector<Fault>&) override {
    return format == WiringFormat::dot ? "digraph {}\n" : "graph\n";
  }
  std::unique_ptr<ServerControl> make_server(const Config&, std::vector<Fault>& faults) override {
    faults = check_faults;
    return faults.empty() ? std::move(server) : nullptr;
  }
  std::vector<Fault> create_user(const Config&, const NewUser& user) override {
    users.push_back(user);
    return {};
  }
  std::vector<Fault> restore(const Config& config, std::ostream& out) override {
    restored.push_back(config.server_name);
    out << "restored\n";
    return check_faults;
  }
  std::vector<Fault> check_databases(const Config& config, std::ostream& out) override {
    checked.push_back(config.server_name);
    out << "looked\n";
    return check_faults;
  }
  std::vector<Fault> move_databases(const Config&, const DatabaseMove& move, std::ostream& out) override {
    moves.push_back(move);
    out << "moved\n";
    return {};
  }

  void add_plugin(std::string_view manifest_text) {
    const auto manifest = plugin::parse_manifest(manifest_text);
    if (!manifest) throw std::logic_error(manifest.error().text);
    discovery.plugins.push_back({*manifest, "/plugins/" + manifest->name + ".so"});
  }

  Discovery discovery;
  std::vector<Fault> check_faults;
  std::vector<NewUser> users;
  std::vector<std::string> restored, checked;  ///< server names
  std::vector<DatabaseMove> moves;
  std::unique_ptr<ServerControl> server = std::make_unique<FakeServer>();
};

/// Runs command lines and keeps what they print.
struct CommandRunner {
  int run(const std::vector<std::string>& arguments, const std::string& input = "") {
    std::istringstream in(input);
    std::ostringstream out_stream, err_stream;
    Surroundings around{environment, in, out_stream, err_stream, engine};
    const int code = run_command_line(arguments, around);
    out = out_stream.str();
    err = err_stream.str();
    return code;
  }
  FakeEngine engine;
  Environment environment;
  std::string out, err;
};

inline constexpr std::string_view sample_manifest = R"({
  "name": "room_server", "version": "0.1.0", "sdk_abi": 1, "status": "beta", "exposure": "internal",
  "summary": "Rooms: the graph of events, state, aliases.",
  "options": [
    {"name": "default_room_version", "type": "enum", "choices": ["10", "11", "12"], "default": "12",
     "doc": "The version of rooms that are made without naming one."},
    {"name": "lane_timeout", "type": "duration", "default": "30s", "minimum": "1s", "reloadable": true,
     "doc": "How long a room may be busy."},
    {"name": "suffixes", "type": "list", "default": ["a: b", "c"], "doc": "Words, and | signs."},
    {"name": "cache_bytes", "type": "bytes", "default": "1MiB", "doc": "Memory for rooms."},
    {"name": "token", "type": "secret", "required": true, "doc": "What application services show."}
  ]})";

}  // namespace backplane::host
