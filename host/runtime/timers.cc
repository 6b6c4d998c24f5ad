#include "host/runtime/timers.h"

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

namespace backplane::host {
namespace {

/// When an executor is full, its work comes again after this.
constexpr Duration busy_pause = std::chrono::milliseconds(20);

}  // namespace

/// Shared with work under way, which may end after the service has gone.
struct TimerService::State : std::enable_shared_from_this<State> {
  struct Timer {
    Instant when;
    std::function<void()> work;
    Duration interval{};  ///< 0: once
    std::string name;
  };

  State(Clock& c, Random& r, Executor& e, Logger l) : clock(c), random(r), executor(e), logger(std::move(l)) {}

  plugin::TimerId add(Timer timer);
  void wait_and_hand_over();
  void begin(plugin::TimerId id);
  void run(const Timer& timer) const;
  Duration jittered(Duration interval);

  Clock& clock;
  Random& random;
  Executor& executor;
  const Logger logger;
  std::mutex mutex;
  std::condition_variable changed;
  std::unordered_map<plugin::TimerId, Timer> timers;        ///< not begun, handed over or not
  std::set<std::pair<Instant, plugin::TimerId>> due_order;  ///< of those that are not handed over
  plugin::TimerId last_id = 0;
  bool draining = false;
};

plugin::TimerId TimerService::State::add(Timer timer) {
  const std::lock_guard lock(mutex);
  if (draining) return 0;
  const plugin::TimerId id = ++last_id;
  const auto place = due_order.emplace(timer.when, id).first;
  timers.emplace(id, std::move(timer));
  if (place == due_order.begin()) changed.notify_one();
  return id;
}

void TimerService::State::wait_and_hand_over() {
  std::unique_lock lock(mutex);
  while (!draining) {
    if (due_order.empty()) {
      changed.wait(lock);
      continue;
    }
    const auto [when, id] = *due_order.begin();
    if (clock.now() < when) {
      clock.wait_until(changed, lock, when);
      continue;
    }
    due_order.erase(due_order.begin());
    lock.unlock();
    const bool taken = executor.submit([self = shared_from_this(), timer = id] { self->begin(timer); });
    lock.lock();
    if (!taken && timers.contains(id)) due_order.emplace(clock.now() + busy_pause, id);
  }
}

void TimerService::State::begin(plugin::TimerId id) {
  Timer timer;
  {
    const std::lock_guard lock(mutex);
    const auto it = timers.find(id);
    if (it == timers.end()) return;  // cancelled
    timer = std::move(it->second);
    timers.erase(it);
  }
  run(timer);
  if (timer.interval <= Duration::zero()) return;
  timer.when = clock.now() + jittered(timer.interval);
  add(std::move(timer));
}

void TimerService::State::run(const Timer& timer) const {
  try {
    timer.work();
  } catch (const std::exception& e) {
    logger.error("a timer's work threw an exception", {{"timer", timer.name}, {"what", e.what()}});
  } catch (...) {
    logger.error("a timer's work threw an exception", {{"timer", timer.name}});
  }
}

Duration TimerService::State::jittered(Duration interval) {
  constexpr std::int64_t steps = 2000;  // from -10 % to +10 %
  const auto step = static_cast<std::int64_t>(random.below(steps + 1)) - steps / 2;
  return interval + interval / (steps * 5) * step;
}

TimerService::TimerService(Clock& clock, Random& random, Executor& executor, Logger logger)
    : state_(std::make_shared<State>(clock, random, executor, std::move(logger))),
      thread_([state = state_] { state->wait_and_hand_over(); }) {
  pthread_setname_np(thread_.native_handle(), "timers");
}

TimerService::~TimerService() { stop(); }

plugin::TimerId TimerService::at(Instant when, std::function<void()> work) {
  return state_->add({when, std::move(work), Duration::zero(), "once"});
}

void TimerService::cancel(plugin::TimerId timer) {
  State::Timer dropped;  // destroyed outside the lock
  const std::lock_guard lock(state_->mutex);
  const auto it = state_->timers.find(timer);
  if (it == state_->timers.end()) return;
  dropped = std::move(it->second);
  state_->due_order.erase({dropped.when, timer});
  state_->timers.erase(it);
}

void TimerService::every(std::string_view name, Duration interval, std::function<void()> work) {
  const Instant first = state_->clock.now() + state_->jittered(interval);
  state_->add({first, std::move(work), interval, std::string(name)});
}

void TimerService::drain() {
  std::unordered_map<plugin::TimerId, State::Timer> dropped;  // destroyed outside the lock
  const std::lock_guard lock(state_->mutex);
  state_->draining = true;
  state_->due_order.clear();
  dropped.swap(state_->timers);
  state_->changed.notify_all();
}

void TimerService::stop() {
  drain();
  if (thread_.joinable()) thread_.join();
}

std::size_t TimerService::waiting() const {
  const std::lock_guard lock(state_->mutex);
  return state_->timers.size();
}

}  // namespace backplane::host
