// What both kinds of runner share: a thread that follows a feed until it is told to stop.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "backplane/base/clock.h"
#include "backplane/base/logger.h"
#include "backplane/log/transport.h"
#include "log/progress.h"
#include "log/thread.h"

namespace backplane::log {

class Runner {
 public:
  /// `group` is empty for a tail.
  Runner(std::string topic, std::string group, Clock& clock, Logger logger)
      : topic_(std::move(topic)),
        group_(std::move(group)),
        clock_(clock),
        logger_(std::move(logger)),
        progress_(clock) {}
  virtual ~Runner() = default;  // the owner has called stop()

  const std::string& topic() const { return topic_; }
  const std::string& group() const { return group_; }
  /// Before start(). Without a feed nothing ever arrives.
  void attach(std::unique_ptr<Feed> feed) { feed_ = std::move(feed); }
  /// Before any runner starts: what others may want to know of this one when they do.
  virtual void load() {}
  /// Finds out where to begin and starts the thread.
  void start();
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
  /// Waits that long, or until the runner is to stop, or somebody is in a hurry.
  void linger(Duration time);
  /// While one of these is there, linger() returns at once.
  class Hurry {
   public:
    explicit Hurry(Runner& runner) : runner_(runner) { runner_.hurry(1); }
    ~Hurry() { runner_.hurry(-1); }
    Hurry(const Hurry&) = delete;
    Hurry& operator=(const Hurry&) = delete;

   private:
    Runner& runner_;
  };

  const std::string topic_;
  const std::string group_;
  Clock& clock_;
  const Logger logger_;
  std::unique_ptr<Feed> feed_;
  Progress progress_;

 private:
  void hurry(int change);
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int hurried_ = 0;
  bool stopping_ = false;
  bool ended_ = true;
  Thread thread_;
};

}  // namespace backplane::log
