// `run` and its signals, in a process of its own: what the fake server is told comes back through a pipe.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

#include "host/cli/last_words.h"
#include "host/cli/signals.h"
#include "support/fake_engine.h"
#include "support/temporary_folder.h"

namespace backplane::host {
namespace {

using testing_support::TemporaryFolder;

struct RunTest : ::testing::Test {
  void SetUp() override {
    ASSERT_EQ(::pipe(pipe_), 0);
    config_ = folder_.write("backplane.yaml", "server_name: example.org\n");
  }
  ~RunTest() override {
    if (child_ > 0) (void)::waitpid(child_, nullptr, WNOHANG);
    (void)::close(pipe_[0]);
  }

  /// Runs `run` with the arguments; `prepare` gets the server.
  void begin(std::vector<std::string> arguments, const std::function<void(FakeServer&)>& prepare = {}) {
    child_ = ::fork();
    if (child_ != 0) {
      (void)::close(pipe_[1]);
      return;
    }
    block_signals();
    (void)::close(pipe_[0]);
    CommandRunner runner;
    auto server = std::make_unique<FakeServer>([this](const std::string& what) {
      const std::string line = what + "\n";
      [[maybe_unused]] const auto ignored = ::write(pipe_[1], line.data(), line.size());
    });
    if (prepare) prepare(*server);
    runner.engine.server = std::move(server);
    arguments.insert(arguments.begin(), {"run", "--config", config_});
    ::_exit(runner.run(arguments));
  }
  /// The next thing that the server was told; empty when nothing comes.
  std::string next() {
    std::string line;
    for (char c = 0;;) {
      pollfd waited{pipe_[0], POLLIN, 0};
      if (::poll(&waited, 1, 10'000) != 1 || ::read(pipe_[0], &c, 1) != 1 || c == '\n') return line;
      line += c;
    }
  }
  int end() {
    int status = 0;
    (void)::waitpid(child_, &status, 0);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  TemporaryFolder folder_;
  std::string config_;
  int pipe_[2] = {-1, -1};
  pid_t child_ = -1;
};

TEST_F(RunTest, signals_reload_dump_and_drain) {
  begin({"--pidfile", folder_.path() + "/pid"});
  EXPECT_EQ(next(), "start");
  EXPECT_EQ(folder_.read("pid"), std::to_string(child_) + "\n");
  folder_.write("backplane.yaml", "server_name: example.org\nlog: {level: debug}\n");
  ::kill(child_, SIGHUP);
  EXPECT_EQ(next(), "reload debug");
  ::kill(child_, SIGQUIT);
  EXPECT_EQ(next(), "dump");
  ::kill(child_, SIGTERM);
  EXPECT_EQ(next(), "drain");
  EXPECT_EQ(end(), exit_ok);
}

TEST_F(RunTest, a_server_that_does_not_start_is_exit_code_3) {
  begin({}, [](FakeServer& server) { server.start_faults.push_back({"port in use", "", "", "", 0}); });
  EXPECT_EQ(next(), "start");
  EXPECT_EQ(end(), exit_could_not_start);
}

TEST_F(RunTest, a_thread_that_fails_ends_the_process_with_its_last_words) {
  EXPECT_DEATH(
      {
        install_last_words();
        std::thread thread([] {
          ::pthread_setname_np(::pthread_self(), "kafka relay");
          throw std::runtime_error("a lane is gone");
        });
        thread.join();
      },
      "error: thread 'kafka relay' has failed, and the server ends with it\n  .*: a lane is gone\n  fix: ");
}

TEST_F(RunTest, faults_of_config_are_exit_code_1) {
  folder_.write("backplane.yaml", "server_nam: x\n");
  begin({});
  EXPECT_EQ(end(), exit_faults);
}

}  // namespace
}  // namespace backplane::host
