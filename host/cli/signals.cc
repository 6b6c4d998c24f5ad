#include "host/cli/signals.h"

#include <pthread.h>
#include <signal.h>

namespace backplane::host {
namespace {

/// What wakes the waiting thread to end it.
int wake_signal() { return SIGRTMIN; }

sigset_t waited_for(bool with_wake) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&set, signal);
  if (with_wake) sigaddset(&set, wake_signal());
  return set;
}

}  // namespace

void block_signals() {
  const sigset_t set = waited_for(true);
  (void)pthread_sigmask(SIG_BLOCK, &set, nullptr);
  (void)::signal(SIGPIPE, SIG_IGN);  // a client that hangs up is an error of write(), not our end
}

void unblock_signals() {
  const sigset_t set = waited_for(false);
  (void)pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

SignalWaiter::SignalWaiter(std::function<void(int)> report)
    : thread_([report = std::move(report)](const std::stop_token& stop) {
        const sigset_t set = waited_for(true);
        for (int signal = 0; !stop.stop_requested();)
          if (sigwait(&set, &signal) == 0 && signal != wake_signal()) report(signal);
      }) {}

SignalWaiter::~SignalWaiter() {
  thread_.request_stop();
  (void)pthread_kill(thread_.native_handle(), wake_signal());
  thread_.join();
}

}  // namespace backplane::host
