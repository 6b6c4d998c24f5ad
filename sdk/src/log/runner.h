// What both kinds of runner share: a thread that follows a feed until it is told to stop.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "backplane/base/clock.h"
#include "backplane/base/logger.h"
#include "backplane/log/transport.h"
#include "log/progress.h"
#include "log/thread.h"

namespace backplane::log {

class Runner {
 public:
  Runner(Clock& clock, Logger logger) : clock_(clock), logger_(std::move(logger)), progress_(clock) {}
  virtual ~Runner() = default;  // the owner has called stop()

  /// Before start(). Without a feed nothing ever arrives.
  void attach(std::unique_ptr<Feed> feed) { feed_ = std::move(feed); }
  /// Finds out where to begin and starts the thread.
  void start(const std::string& thread_name);
  /// Tells the thread to end and returns at once.
  void request_stop();
  /// Whether the thread has ended by then.
  bool wait_stopped(Instant deadline);
  /// Ends the thread and waits for it.
  void stop();

 protected:
  /// On the thread that starts the process.
  virtual void prepare() {}
  /// On the runner's thread: until stopping().
  virtual void run() = 0;

  bool stopping() const;
  /// Waits that long, or until the runner is to stop; false in the second case.
  bool pause(Duration time);

  Clock& clock_;
  const Logger logger_;
  std::unique_ptr<Feed> feed_;
  Progress progress_;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  bool ended_ = true;
  Thread thread_;
};

}  // namespace backplane::log
