// What an internal call costs: a plain virtual call to compare with, a call of a provider in this process with and
// without metrics, and calls of a provider on another host (over loopback), blocking and deferred.
//
//   calls_bench [calls]
#include <time.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/internal_hosts.h"

namespace {

using namespace backplane;
using namespace backplane::host;
using namespace backplane::host::test;
using std::chrono::steady_clock;

double us_since(steady_clock::time_point start) {
  return std::chrono::duration<double, std::micro>(steady_clock::now() - start).count();
}

struct Plain {
  virtual ~Plain() = default;
  virtual Result<GreetResponse> greet(const api::CallContext& context, const GreetRequest& request) = 0;
};
struct PlainProvider final : Plain {
  Result<GreetResponse> greet(const api::CallContext&, const GreetRequest& request) override {
    return GreetResponse{{}, {}, {}, request.name};
  }
};

/// Of this thread: what others do on the machine does not count.
double cpu_ns() {
  timespec time{};
  (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

/// Answers the least of several rounds: what a neighbour on the core's other half takes does count.
template <class Call>
double per_call(const char* what, int calls, Call&& call) {
  constexpr int rounds = 10;
  double least = 1e9;
  for (int round = 0; round < rounds; ++round) {
    const double start = cpu_ns();
    for (int i = 0; i < calls; ++i) call();
    least = std::min(least, (cpu_ns() - start) / calls);
  }
  std::printf("%-44s %10.1f ns\n", what, least);
  return least;
}

void percentiles(const char* what, std::vector<double>& times, double whole_us) {
  std::sort(times.begin(), times.end());
  const auto at = [&](double share) {
    return times[static_cast<std::size_t>(share * static_cast<double>(times.size() - 1))];
  };
  std::printf("%-44s p50 %8.1f us   p99 %8.1f us   %9.0f calls/s\n", what, at(0.5), at(0.99),
              static_cast<double>(times.size()) * 1e6 / whole_us);
}

void blocking(const char* what, const Greeter& greeter, int threads, int calls) {
  std::mutex mutex;
  std::vector<double> all;
  std::vector<std::thread> running;
  const auto start = steady_clock::now();
  for (int t = 0; t < threads; ++t) {
    running.emplace_back([&] {
      std::vector<double> mine;
      for (int i = 0; i < calls / threads; ++i) {
        const auto begun = steady_clock::now();
        const auto answer =
            greeter.greet({.deadline = system_clock().now() + std::chrono::seconds(30)}, {"you", {}, {}});
        if (!answer) std::abort();
        mine.push_back(us_since(begun));
      }
      const std::lock_guard lock(mutex);
      all.insert(all.end(), mine.begin(), mine.end());
    });
  }
  for (std::thread& thread : running) thread.join();
  percentiles(what, all, us_since(start));
}

void deferred(const Greeter& greeter, int at_once, int calls) {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<double> times;
  int open = 0;
  const auto start = steady_clock::now();
  for (int i = 0; i < calls; ++i) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return open < at_once; });
    ++open;
    lock.unlock();
    const auto begun = steady_clock::now();
    greeter.greet_later({.deadline = system_clock().now() + std::chrono::seconds(30)}, {"you", {}, {}},
                        [&, begun](const Result<GreetResponse>& answer) {
                          if (!answer) std::abort();
                          const std::lock_guard done(mutex);
                          times.push_back(us_since(begun));
                          --open;
                          changed.notify_one();
                        });
  }
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return open == 0; });
  lock.unlock();
  percentiles(("remote, deferred, " + std::to_string(at_once) + " at once").c_str(), times, us_since(start));
}

}  // namespace

int main(int argc, char** argv) {
  const int calls = argc > 1 ? std::atoi(argv[1]) : 20'000;
  Greeter provider;
  provider.greet.bind([](const api::CallContext&, const GreetRequest& request) -> Result<GreetResponse> {
    return GreetResponse{{}, {}, {}, request.name};
  });
  provider.greet_later.bind(
      [](const api::CallContext&, const GreetRequest& request, const api::Reply<GreetResponse>& reply) {
        reply(GreetResponse{{}, {}, {}, request.name});
      });
  const GreetRequest request{"you", {}, {}};
  const auto plain_provider = std::make_unique<PlainProvider>();
  Plain* volatile plain = plain_provider.get();
  const auto context = [] { return api::CallContext{.deadline = system_clock().now() + std::chrono::seconds(30)}; };
  const api::CallContext lasting = context();
  const double virtual_call = per_call("virtual call", calls * 10, [&] { (void)plain->greet(lasting, request).ok(); });

  Greeter local;
  for (std::size_t i = 0; i < local.methods().size(); ++i) local.methods()[i]->connect(*provider.methods()[i]);
  per_call("local call, without metrics", calls * 10, [&] { (void)local.greet(lasting, request).ok(); });
  Counter count, errors;
  Histogram seconds;
  for (api::MethodBase* method : local.methods()) method->measure(&count, &errors, &seconds, &system_clock(), "bench");
  const double local_call =
      per_call("local call, with metrics", calls * 10, [&] { (void)local.greet(lasting, request).ok(); });
  std::printf("%-44s %10.1f ns\n", "local call over a virtual call", local_call - virtual_call);

  const ServingHost one("one", provider, nullptr, {});
  CallingHost calling;
  Greeter remote;
  calling.router({{"one", &calling.host("one", one.url())}}).bind(remote);
  blocking("remote, blocking, 1 thread", remote, 1, calls);
  blocking("remote, blocking, 8 threads", remote, 8, calls * 2);
  blocking("remote, blocking, 64 threads", remote, 64, calls * 2);
  deferred(remote, 1, calls);
  deferred(remote, 64, calls * 2);
  calling.stop();
}
