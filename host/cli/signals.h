// Signals reach one thread, which waits for them; no handler ever interrupts anything. That works only if every thread
// blocks them, so the first statement of main is block_signals(), before any thread is there.
#pragma once

#include <functional>
#include <thread>

namespace backplane::host {

/// Blocks INT, TERM, HUP and QUIT in this thread and in those that it starts; ignores PIPE.
void block_signals();
/// For commands that are no server: Ctrl-C and TERM end the program as usual.
void unblock_signals();

/// Waits for the blocked signals and reports each on a thread of its own, until the object is gone.
class SignalWaiter {
 public:
  explicit SignalWaiter(std::function<void(int signal)> report);
  SignalWaiter(const SignalWaiter&) = delete;
  SignalWaiter& operator=(const SignalWaiter&) = delete;
  ~SignalWaiter();

 private:
  std::jthread thread_;
};

}  // namespace backplane::host
