// Time's passing for plugins and the host: one thread that waits for the earliest instant and hands the work to an
// executor, so that ten thousand timers cost ten thousand small entries and no threads.
//
// Any thread. Time is the clock's, so that a fake one drives every timer. Work that was handed over may still be
// running when stop() has returned: stop the executor after the timers, before what the work uses goes.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <thread>

#include "backplane/base/clock.h"
#include "backplane/base/executor.h"
#include "backplane/base/logger.h"
#include "backplane/base/random.h"
#include "backplane/plugin/plugin.h"

namespace backplane::host {

class TimerService final : public plugin::Timers {
 public:
  TimerService(Clock& clock, Random& random, Executor& executor, Logger logger);
  ~TimerService() override;

  /// 0 when timers begin no more.
  plugin::TimerId at(Instant when, std::function<void()> work) override;
  void cancel(plugin::TimerId timer) override;
  /// Pauses are within a tenth of the interval, from the end of a run to the next.
  void every(std::string_view name, Duration interval, std::function<void()> work) override;

  /// Nothing begins from now on; what was set is forgotten.
  void drain();
  /// drain(), and the thread has ended.
  void stop();
  /// Timers that have not begun.
  std::size_t waiting() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace backplane::host
