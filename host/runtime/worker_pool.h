// Handlers block (on SOCI, on other plugins), so a pool needs as many threads as there is waiting, not as there are
// cores, and yet must not hold 64 idle stacks or an endless queue. This pool grows on demand, lets idle threads leave,
// and refuses work when its queue is full. The listener has one for each surface; timers and the CPU executor use it.
//
// Any thread may submit. Work taken is run, in the order of submission; stop() waits for it. Not to be destroyed or
// stopped from its own threads.
#pragma once

#include <pthread.h>

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

 private:
  /// A thread's own place to be handed work, so that the one that was busy last (its caches are warm) gets it.
  struct Worker {
    WorkerPool* pool;
    std::function<void()> work;
    std::condition_variable wake;
  };

  static void* thread_main(void* worker);
  bool spawn(std::function<void()>& work);
  void serve(Worker& worker);
  void run(const std::function<void()>& work) const;
  void join_finished(std::unique_lock<std::mutex>& lock);

  const WorkerPoolOptions options_;
  Clock& clock_;
  const Logger logger_;
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  std::deque<std::function<void()>> queue_;
  std::vector<Worker*> idle_;        ///< the last one went idle last
  std::vector<pthread_t> finished_;  ///< threads that have ended and are to be joined
  std::size_t threads_ = 0;
  bool stopping_ = false;
};

}  // namespace backplane::host
