// A thread with a small stack and a name, for runners: a process has dozens and most of them sleep.
#pragma once

#include <pthread.h>

#include <functional>
#include <string>

namespace backplane::log {

class Thread {
 public:
  Thread() = default;
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  /// Joins: whoever owns it has told the body to end.
  ~Thread() { join(); }
  /// Throws std::system_error when there is no thread to be had. What `body` throws ends the process.
  void start(const std::string& name, std::function<void()> body);
  void join();

 private:
  std::function<void()> body_;
  pthread_t handle_{};
  bool running_ = false;
};

}  // namespace backplane::log
