#include "host/runtime/worker_pool.h"

#include <sys/resource.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <thread>
#include <utility>

namespace backplane::host {
namespace {

// How long queued work waits before it gets a thread although others are busy. It is the system's time and not the
// clock's: threads are scheduled by the system, and a test's clock that stands still must not stop them.
constexpr std::chrono::milliseconds patience(2);
/// Ticks without queued work after which nobody watches.
constexpr int quiet_ticks = 50;
/// One of so many runs is looked at.
constexpr unsigned sample_every = 8;
constexpr double sample_weight = 1.0 / 16;

std::size_t cores() { return std::max(1U, std::thread::hardware_concurrency()); }

/// How often this thread has given up the CPU of itself.
long voluntary_switches() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

}  // namespace

WorkerPoolOptions cpu_pool_options() {
  WorkerPoolOptions options;
  options.name = "cpu";
  options.max_threads = cores();
  options.max_queue = 64 * 1024;
  return options;
}

WorkerPool::WorkerPool(WorkerPoolOptions options, Clock& clock, Logger logger)
    : options_(std::move(options)),
      eager_(std::min(options_.max_threads, std::max<std::size_t>(2, cores()))),
      clock_(clock),
      logger_(std::move(logger)),
      allowed_(options_.max_threads) {}

WorkerPool::~WorkerPool() { stop(); }

bool WorkerPool::submit(std::function<void()> work) {
  Lock lock(mutex_);
  if (stopping_) return false;
  if (queue_.empty() && busy_ < allowed_ && start(work)) {
    if (!finished_.empty()) join_finished(lock);
    return true;
  }
  if (threads_ == 0 || queue_.size() >= options_.max_queue) return false;
  queue_.push_back({std::move(work), std::chrono::steady_clock::now()});
  ensure_watcher();
  return true;
}

/// Gives the work to a thread that does nothing, or to a new one; takes it only if there is one.
bool WorkerPool::start(std::function<void()>& work) {
  Worker* worker = nullptr;
  if (!idle_.empty()) {
    worker = idle_.back();
    idle_.pop_back();
  } else if (watcher_ != nullptr) {
    worker = std::exchange(watcher_, nullptr);
  } else {
    if (threads_ >= options_.max_threads || !spawn(work, false)) return false;
    ++busy_;
    return true;
  }
  ++busy_;
  worker->work = std::move(work);
  // Notified under the lock: the worker cannot leave, and take its condition with it, before this call ends.
  worker->wake.notify_one();
  return true;
}

void WorkerPool::ensure_watcher() {
  if (watcher_ != nullptr) return;
  if (!idle_.empty()) {
    watcher_ = idle_.back();
    idle_.pop_back();
    watcher_->wake.notify_one();
  } else if (threads_ < options_.max_threads) {
    std::function<void()> none;
    (void)spawn(none, true);
  }
  // Otherwise all are busy: the first that has done its work sees to the queue.
}

bool WorkerPool::spawn(std::function<void()>& work, bool watches) {
  auto worker = std::make_unique<Worker>();
  worker->pool = this;
  worker->work = std::move(work);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, options_.stack_bytes);
  pthread_t thread{};
  const int fault = pthread_create(&thread, &attributes, &WorkerPool::thread_main, worker.get());
  pthread_attr_destroy(&attributes);
  if (fault != 0) {
    work = std::move(worker->work);
    logger_.warning("could not start a thread", {{"pool", options_.name}, {"threads", threads_}});
    return false;
  }
  pthread_setname_np(thread, options_.name.substr(0, 15).c_str());
  Worker* const started = worker.release();  // the thread owns it; it waits for the lock
  if (watches) watcher_ = started;
  ++threads_;
  return true;
}

void* WorkerPool::thread_main(void* worker) {
  const std::unique_ptr<Worker> self(static_cast<Worker*>(worker));
  self->pool->serve(*self);
  return nullptr;
}

void WorkerPool::serve(Worker& worker) {
  Lock lock(mutex_);
  for (;;) {
    if (worker.work) {
      run(worker, lock);
      continue;
    }
    if (stopping_ && watcher_ == &worker) watcher_ = nullptr;  // now it does as the others do
    if (!queue_.empty() && (busy_ < allowed_ || stopping_) && watcher_ != &worker) {
      take_front(worker);
      continue;
    }
    if (stopping_) break;
    if (!queue_.empty() && watcher_ == nullptr) watcher_ = &worker;
    if (watcher_ == &worker) {
      if (watch(worker, lock)) continue;
      watcher_ = nullptr;
    }
    idle_.push_back(&worker);
    const Instant leave = clock_.now() + options_.idle;
    clock_.wait_until(worker.wake, lock, leave, [&] { return worker.work || stopping_ || watcher_ == &worker; });
    if (!worker.work && watcher_ != &worker) {
      std::erase(idle_, &worker);
      if (!stopping_) break;
    }
  }
  --threads_;
  finished_.push_back(pthread_self());
  ended_.notify_all();
}

/// Until there is work for this worker (true), or none for anybody (false).
bool WorkerPool::watch(Worker& worker, Lock& lock) {
  for (int quiet = 0; quiet < quiet_ticks; ++quiet) {
    worker.wake.wait_for(lock, patience, [&] { return worker.work || stopping_; });
    if (worker.work) return true;
    if (stopping_) return false;
    if (queue_.empty()) continue;
    quiet = 0;
    const bool too_long = std::chrono::steady_clock::now() - queue_.front().since >= patience;
    if (busy_ >= allowed_ && !too_long) continue;
    watcher_ = nullptr;
    take_front(worker);
    if (!queue_.empty()) ensure_watcher();
    return true;
  }
  return false;
}

void WorkerPool::take_front(Worker& worker) {
  worker.work = std::move(queue_.front().work);
  queue_.pop_front();
  ++busy_;
}

void WorkerPool::run(Worker& worker, Lock& lock) {
  std::function<void()> work = std::exchange(worker.work, nullptr);
  lock.unlock();
  const bool sampled = eager_ < options_.max_threads && worker.runs++ % sample_every == 0;
  const long before = sampled ? voluntary_switches() : 0;
  call(work);
  const bool waited = sampled && voluntary_switches() != before;
  work = nullptr;  // what it holds is destroyed outside the lock
  lock.lock();
  --busy_;
  if (sampled) note_sample(waited);
}

void WorkerPool::note_sample(bool waited) {
  waiting_share_ += ((waited ? 1.0 : 0.0) - waiting_share_) * sample_weight;
  const auto extra = static_cast<double>(options_.max_threads - eager_);
  allowed_ = eager_ + static_cast<std::size_t>(waiting_share_ * extra + 0.5);
}

void WorkerPool::call(const std::function<void()>& work) const {
  try {
    work();
  } catch (const std::exception& e) {
    logger_.error("work threw an exception", {{"pool", options_.name}, {"what", e.what()}});
  } catch (...) {
    logger_.error("work threw an exception", {{"pool", options_.name}});
  }
}

void WorkerPool::join_finished(Lock& lock) {
  const std::vector<pthread_t> finished = std::exchange(finished_, {});
  lock.unlock();
  for (const pthread_t thread : finished) pthread_join(thread, nullptr);
  lock.lock();
}

void WorkerPool::stop() {
  Lock lock(mutex_);
  stopping_ = true;
  for (Worker* worker : idle_) worker->wake.notify_one();
  if (watcher_ != nullptr) watcher_->wake.notify_one();
  ended_.wait(lock, [this] { return threads_ == 0; });
  join_finished(lock);
}

std::size_t WorkerPool::queued() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

std::size_t WorkerPool::threads() const {
  const std::lock_guard lock(mutex_);
  return threads_;
}

std::size_t WorkerPool::busy() const {
  const std::lock_guard lock(mutex_);
  return busy_;
}

}  // namespace backplane::host
