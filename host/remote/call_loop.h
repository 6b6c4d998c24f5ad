// Deferred calls to other hosts may wait for minutes, hundreds at a time: this one thread waits for all of their
// connections, and for the pauses between their attempts. What it calls back runs on that thread and must not wait.
//
// Any thread. The thread starts with the first work; stop() ends all that waits.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "backplane/base/clock.h"
#include "backplane/base/logger.h"
#include "host/remote/call_connection.h"

namespace backplane::host {

class CallLoop {
 public:
  CallLoop(Clock& clock, Logger logger);
  ~CallLoop();
  CallLoop(const CallLoop&) = delete;
  CallLoop& operator=(const CallLoop&) = delete;

  enum class End : std::uint8_t { answered, failed, too_late, cancelled };
  using Done = std::function<void(std::unique_ptr<CallConnection>, End)>;
  using Ticket = std::uint64_t;
  /// Carries on an exchange that was begun, until it is over. It must be connected by `connect_by`.
  Ticket drive(std::unique_ptr<CallConnection> connection, Instant connect_by, Instant deadline, Done done);
  /// Nobody waits for it any more: it ends as cancelled, unless it has ended.
  void cancel(Ticket ticket);
  void at(Instant when, std::function<void()> work);
  /// Everything that waits ends as cancelled, pauses at once; so does what comes later, on the thread that brings it.
  void stop();

 private:
  struct Exchange {
    std::unique_ptr<CallConnection> connection;
    Instant connect_by, deadline;
    Done done;
    int registered = -1;  ///< the socket that epoll watches for it
    std::multimap<Instant, Ticket>::iterator due{};
  };
  using Work = std::function<void()>;

  bool post(Work work);
  void run();
  void advance(Ticket ticket, Exchange& exchange);
  void watch(Ticket ticket, Exchange& exchange, IoStatus status) const;
  void end(Ticket ticket, End how);
  void look_after(Ticket ticket, Exchange& exchange, Instant now);
  void end_what_is_late();
  int wait_ms() const;
  void call(const Work& work) const;

  Clock& clock_;
  const Logger logger_;
  int epoll_ = -1, wake_ = -1;
  std::mutex mutex_;
  std::vector<Work> posted_;  // mutex_
  bool stopping_ = false;     // mutex_
  Ticket last_ticket_ = 0;    // mutex_
  std::thread thread_;        // mutex_, but for the join
  // The thread's own.
  std::map<Ticket, Exchange> exchanges_;
  std::multimap<Instant, Ticket> due_;  ///< when to look at an exchange whether nothing happens
  std::multimap<Instant, Work> timers_;
};

}  // namespace backplane::host
