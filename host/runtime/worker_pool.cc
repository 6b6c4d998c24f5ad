#include "host/runtime/worker_pool.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <thread>
#include <utility>

namespace backplane::host {

WorkerPoolOptions cpu_pool_options() {
  WorkerPoolOptions options;
  options.name = "cpu";
  options.max_threads = std::max(1U, std::thread::hardware_concurrency());
  options.max_queue = 64 * 1024;
  return options;
}

WorkerPool::WorkerPool(WorkerPoolOptions options, Clock& clock, Logger logger)
    : options_(std::move(options)), clock_(clock), logger_(std::move(logger)) {}

WorkerPool::~WorkerPool() { stop(); }

bool WorkerPool::submit(std::function<void()> work) {
  std::unique_lock lock(mutex_);
  if (stopping_) return false;
  if (!idle_.empty()) {
    Worker* const worker = idle_.back();
    idle_.pop_back();
    worker->work = std::move(work);
    // Notified under the lock: the worker cannot leave, and take its condition with it, before this call ends.
    worker->wake.notify_one();
    return true;
  }
  if (threads_ < options_.max_threads && spawn(work)) {
    join_finished(lock);
    return true;
  }
  if (threads_ == 0 || queue_.size() >= options_.max_queue) return false;
  queue_.push_back(std::move(work));
  return true;
}

bool WorkerPool::spawn(std::function<void()>& work) {
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
  (void)worker.release();  // the thread owns it
  ++threads_;
  return true;
}

void* WorkerPool::thread_main(void* worker) {
  const std::unique_ptr<Worker> self(static_cast<Worker*>(worker));
  self->pool->serve(*self);
  return nullptr;
}

void WorkerPool::serve(Worker& worker) {
  std::unique_lock lock(mutex_);
  for (;;) {
    std::function<void()> work = std::exchange(worker.work, nullptr);
    if (!work && !queue_.empty()) {
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    if (work) {
      lock.unlock();
      run(work);
      work = nullptr;  // what it holds is destroyed outside the lock
      lock.lock();
      continue;
    }
    if (stopping_) break;
    idle_.push_back(&worker);
    const Instant leave = clock_.now() + options_.idle;
    clock_.wait_until(worker.wake, lock, leave, [&] { return worker.work != nullptr || stopping_; });
    if (!worker.work) {
      std::erase(idle_, &worker);
      break;
    }
  }
  --threads_;
  finished_.push_back(pthread_self());
  ended_.notify_all();
}

void WorkerPool::run(const std::function<void()>& work) const {
  try {
    work();
  } catch (const std::exception& e) {
    logger_.error("work threw an exception", {{"pool", options_.name}, {"what", e.what()}});
  } catch (...) {
    logger_.error("work threw an exception", {{"pool", options_.name}});
  }
}

void WorkerPool::join_finished(std::unique_lock<std::mutex>& lock) {
  const std::vector<pthread_t> finished = std::exchange(finished_, {});
  lock.unlock();
  for (const pthread_t thread : finished) pthread_join(thread, nullptr);
  lock.lock();
}

void WorkerPool::stop() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  for (Worker* worker : idle_) worker->wake.notify_one();
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

}  // namespace backplane::host
