#include "backplane/testing/postgresql_server.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

namespace backplane::testing {
namespace {

constexpr const char* user = "postgres";

/// The account that the server runs as, or nothing when this program may run it itself.
const passwd* account() {
  if (geteuid() != 0) return nullptr;
  const passwd* found = getpwnam(user);
  if (found == nullptr) throw std::runtime_error("there is no user 'postgres' to run a PostgreSQL server as");
  return found;
}

/// Starts a program that dies with this one; its output goes to `output`.
pid_t spawn(std::vector<std::string> words, const std::string& folder, const std::string& output) {
  const passwd* as = account();
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t child = fork();
  if (child != 0) return child;
  // From here on only what is safe between fork and exec.
  const int out = open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  dup2(out, 1);
  dup2(out, 2);
  if (as != nullptr && (setgroups(0, nullptr) != 0 || setgid(as->pw_gid) != 0 || setuid(as->pw_uid) != 0)) _exit(126);
  prctl(PR_SET_PDEATHSIG, SIGINT);  // after setuid, which clears it
  if (chdir(folder.c_str()) != 0) _exit(126);
  execv(arguments[0], arguments.data());
  _exit(127);
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

PostgresqlServer::PostgresqlServer(const std::string& programs) : programs_(programs) {
  if (const passwd* as = account(); as != nullptr && chown(folder_.path().c_str(), as->pw_uid, as->pw_gid) != 0) {
    throw std::runtime_error("cannot give the server its folder");
  }
  const std::string output = folder_.path() + "/initdb.log";
  const int status = wait_for(spawn({programs_ + "/initdb", "-D", folder_.path() + "/data", "-U", user, "--auth=trust",
                                     "--no-sync", "--encoding=UTF8", "--locale=C"},
                                    folder_.path(), output));
  if (status != 0) throw std::runtime_error("initdb failed: " + text_of(output));
  connection_ = "host=" + folder_.path() + " dbname=postgres user=" + user;
  start();
}

PostgresqlServer::~PostgresqlServer() { stop(); }

void PostgresqlServer::start() {
  const std::string output = folder_.path() + "/server.log";
  for (int i = 0; i < 600; ++i) {
    // What a killed server leaves behind is in the way for a moment.
    if (process_ < 0 || waitpid(process_, nullptr, WNOHANG) != 0) {
      process_ = spawn({programs_ + "/postgres", "-D", folder_.path() + "/data", "-k", folder_.path(), "-c",
                        "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=50"},
                       folder_.path(), output);
    }
    // `pg_isready` answers 0 once connections are taken.
    if (wait_for(spawn({programs_ + "/pg_isready", "-q", "-h", folder_.path()}, folder_.path(), output)) == 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  throw std::runtime_error("the PostgreSQL server did not start: " + text_of(output));
}

void PostgresqlServer::stop() {
  if (process_ < 0) return;
  ::kill(process_, SIGINT);  // fast: connections are ended
  wait_for(process_);
  process_ = -1;
}

void PostgresqlServer::kill() {
  ::kill(process_, SIGKILL);
  wait_for(process_);
  process_ = -1;
}

void PostgresqlServer::restart() {
  stop();
  start();
}

}  // namespace backplane::testing
