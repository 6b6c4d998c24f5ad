#include <signal.h>

#include <Poco/Util/ServerApplication.h>

#include <array>
#include <exception>
#include <filesystem>
#include <functional>

#include "host/cli/command.h"
#include "host/cli/run_server.h"
#include "host/config/files.h"

namespace backplane::host {
namespace {

/// Poco's shell of a process: daemon, pid file, umask. It must not wait for signals: its own wait dies of SIGHUP.
class Shell final : public Poco::Util::ServerApplication {
 public:
  explicit Shell(std::function<int()> body) : body_(std::move(body)) {}
  int main(const ArgVec&) override { return body_(); }

 private:
  std::function<int()> body_;
};

/// What to do with crashes, put back when the object goes. Poco's shell makes them C++ exceptions: a crash shall be a
/// crash, with a core that shows where.
class CrashSignals {
 public:
  CrashSignals() {
    for (std::size_t i = 0; i < signals.size(); ++i) (void)::sigaction(signals[i], nullptr, &before_[i]);
  }
  CrashSignals(const CrashSignals&) = delete;
  CrashSignals& operator=(const CrashSignals&) = delete;
  ~CrashSignals() {
    for (std::size_t i = 0; i < signals.size(); ++i) (void)::sigaction(signals[i], &before_[i], nullptr);
  }

 private:
  static constexpr std::array signals{SIGILL, SIGBUS, SIGSEGV, SIGSYS};
  std::array<struct sigaction, signals.size()> before_{};
};

Poco::AutoPtr<Shell> make_shell(std::function<int()> body) {
  const CrashSignals kept;
  return {new Shell(std::move(body))};
}

/// The arguments as Poco's shell knows them.
std::vector<std::string> shell_arguments(const CommandContext& context, const std::string& folder) {
  std::vector<std::string> out{"backplane"};
  if (context.has("--daemon")) out.emplace_back("--daemon");
  if (context.has("--pidfile")) out.push_back("--pidfile=" + absolute_path(context.value("--pidfile"), folder));
  if (context.has("--umask")) out.push_back("--umask=" + context.value("--umask"));
  return out;
}

}  // namespace

int run_run(CommandContext& context) {
  const std::string umask = context.value("--umask", "027");
  if (umask.empty() || umask.size() > 4 || umask.find_first_not_of("01234567") != std::string::npos)
    return context.usage("option '--umask' needs an octal number such as 027");
  // Everything that can be said before the process leaves the terminal (with --daemon) is said here.
  const auto config = context.load();
  if (!config) return exit_faults;

  const auto body = [&]() -> int {
    try {
      std::vector<Fault> faults;
      const std::unique_ptr<ServerControl> server = context.engine().make_server(*config, faults);
      if (server == nullptr || !faults.empty()) return context.finish(faults);
      return run_server(
          *server, [&] { return load_config(config->file, context.environment()); }, context.err());
    } catch (const std::exception& error) {
      context.err() << Fault{"the server failed", error.what(), "this is a fault of Backplane: please report it", "",
                             0};
      return exit_failed;
    }
  };
  std::vector<std::string> words = shell_arguments(context, std::filesystem::current_path().string());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int code = make_shell(body)->run(static_cast<int>(words.size()), argv.data());
  return code > exit_failed ? exit_could_not_start : code;  // Poco's own codes: a pid file that cannot be written
}

}  // namespace backplane::host
