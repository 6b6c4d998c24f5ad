#include "host/cli/run_server.h"

#include <signal.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <mutex>

#include "host/cli/exit_code.h"
#include "host/cli/signals.h"

namespace backplane::host {
namespace {

enum class Order : std::uint8_t { stop, reload };

/// What the main thread is to do next. Any thread gives orders, one takes them.
class Orders {
 public:
  void give(Order order) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(order);
    given_.notify_one();
  }
  Order take() {
    std::unique_lock lock(mutex_);
    given_.wait(lock, [&] { return !waiting_.empty(); });
    const Order order = waiting_.front();
    waiting_.pop_front();
    return order;
  }

 private:
  std::mutex mutex_;
  std::condition_variable given_;
  std::deque<Order> waiting_;
};

/// On the signals' own thread: what must work while the main thread is busy happens here.
class SignalRules {
 public:
  SignalRules(ServerControl& server, Orders& orders) : server_(server), orders_(orders) {}

  void operator()(int signal) {
    if (signal == SIGQUIT) {
      server_.dump_state();
    } else if (signal == SIGHUP) {
      orders_.give(Order::reload);
    } else if (++stops_ == 1) {
      orders_.give(Order::stop);
    } else if (stops_ == 2) {
      server_.stop_at_once();
    } else {
      ::_exit(exit_failed);  // even that hangs; what was acknowledged is on disk
    }
  }

 private:
  ServerControl& server_;
  Orders& orders_;
  int stops_ = 0;
};

}  // namespace

int run_server(ServerControl& server, const std::function<LoadedConfig()>& load, std::ostream& err) {
  Orders orders;
  const SignalWaiter signals(SignalRules(server, orders));
  if (const auto faults = server.start(); !faults.empty()) {
    err << format_faults(faults);
    return exit_could_not_start;
  }
  for (;;) {
    if (orders.take() == Order::stop) break;
    const LoadedConfig loaded = load();
    err << format_faults(loaded.ok() ? server.reload(loaded.config) : loaded.faults);
  }
  server.drain_and_stop();
  return exit_ok;
}

}  // namespace backplane::host
