// Handlers block (on SOCI, on other plugins), so a pool needs as many threads as there is waiting, not as there are
// cores, and yet must not hold 64 idle stacks or an endless queue. This pool grows on demand, lets idle threads leave,
// and refuses work when its queue is full. The listener has one for each surface; timers and the CPU executor use it.
//
// Work that does not wait is cheapest on few threads (measured with 64 connections: 17 µs a request with 2 threads, 45
// with 64). So the pool looks, by samples, how often its work gives up the CPU of itself, and runs so many at once:
// from one a core when none does, to the most when all do. Whatever that says, work that has waited for some
// milliseconds gets a thread of its own: no queue stands still because a few pieces wait for long.
//
// Any thread may submit. Work taken is begun in the order of submission; stop() waits for it. Not to be destroyed or
// stopped from its own threads.
#pragma once

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "backplane/base/clock.h"
#include "backplane/base/executor.h"
#include "backplane/base/logger.h"

namespace backplane::host {

struct WorkerPoolOptions {
  std::string name = "worker";  ///< of the threads; the system keeps 15 characters
  std::size_t max_threads = 64;
  std::size_t max_queue = 1024;  ///< pieces of work that wait for a thread
  Duration idle = std::chrono::seconds(10);
  std::size_t stack_bytes = 512 * 1024;  ///< address space; only what is touched costs memory
};

/// One thread a core and a long queue, for what computes and never waits.
WorkerPoolOptions cpu_pool_options();

class WorkerPool final : public Executor {
 public:
  WorkerPool(WorkerPoolOptions options, Clock& clock, Logger logger);
  ~WorkerPool() override;
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  bool submit(std::function<void()> work) override;
  /// Refuses work from now on, finishes what it has, and ends the threads. A second call does nothing.
  void stop();

  std::size_t queued() const;
  std::size_t threads() const;
  /// Threads that have work.
  std::size_t busy() const;

 private:
  /// A thread's own place to be handed work, so that the one that was busy last (its caches are warm) gets it.
  struct Worker {
    WorkerPool* pool;
    std::function<void()> work;
    std::condition_variable wake;
    unsigned runs = 0;
  };
  struct Queued {
    std::function<void()> work;
    std::chrono::steady_clock::time_point since;
  };
  using Lock = std::unique_lock<std::mutex>;

  static void* thread_main(void* worker);
  bool spawn(std::function<void()>& work, bool watches);
  bool start(std::function<void()>& work);
  void ensure_watcher();
  void serve(Worker& worker);
  void run(Worker& worker, Lock& lock);
  bool watch(Worker& worker, Lock& lock);
  void take_front(Worker& worker);
  void note_sample(bool waited);
  void call(const std::function<void()>& work) const;
  void join_finished(Lock& lock);

  const WorkerPoolOptions options_;
  const std::size_t eager_;  ///< so many run at once in any case
  Clock& clock_;
  const Logger logger_;
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  std::deque<Queued> queue_;
  std::vector<Worker*> idle_;        ///< the last one went idle last
  Worker* watcher_ = nullptr;        ///< looks whether queued work waits for too long; not in idle_
  std::vector<pthread_t> finished_;  ///< threads that have ended and are to be joined
  std::size_t threads_ = 0;
  std::size_t busy_ = 0;
  std::size_t allowed_;       ///< to be busy at once
  double waiting_share_ = 1;  ///< of work that gives up the CPU
  bool stopping_ = false;
};

}  // namespace backplane::host
