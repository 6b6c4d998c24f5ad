// The log over Kafka: how long a record takes from its commit to a tail of another process' transport, how many go
// through, and what a subscription costs. Run it with a broker:
//
//   tests/support/kafka/kafka.py run build/release/bin/log_kafka_bench [records]
//
// or with BACKPLANE_KAFKA_BOOTSTRAP=host:port. It makes topics with a prefix of its own.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "kafka_transport.h"
#include "process.h"

namespace backplane::log {
namespace {

/// Only databases: the broker is somewhere else.
class BenchWorld final : public World {
 public:
  explicit BenchWorld(std::string prefix) {
    const char* bootstrap = std::getenv("BACKPLANE_KAFKA_BOOTSTRAP");
    if (bootstrap == nullptr) throw std::runtime_error("run me with tests/support/kafka/kafka.py run");
    settings.brokers = bootstrap;
    settings.topic_prefix = std::move(prefix);
  }
  std::unique_ptr<Transport> make_transport(Clock& clock) override {
    return std::make_unique<log_kafka::KafkaTransport>(settings, clock, metrics, testing::quiet_logger());
  }
  log_kafka::KafkaSettings settings;
  TestMetrics metrics;
};

int threads() {
  int count = 0;
  for ([[maybe_unused]] const auto& task : std::filesystem::directory_iterator("/proc/self/task")) ++count;
  return count;
}

long resident_kb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::atol(line.c_str() + 6);
  return 0;
}

double milliseconds_since(Instant begun) {
  return std::chrono::duration<double, std::milli>(system_clock().now() - begun).count();
}

void measure(int count) {
  const std::string prefix = "bench." + std::to_string(getpid()) + ".";
  BenchWorld producers(prefix), consumers(prefix);
  Process here(producers), there(consumers);
  Publisher& publisher = here.publisher();
  std::mutex mutex;
  std::condition_variable came;
  std::uint64_t seen = 0;
  Tail& tail = there.log().tail({"events", {}}, [&](const Batch& batch) {
    const std::lock_guard lock(mutex);
    for (const RecordPtr& record : batch.records) seen = std::max(seen, record->position.sequence);
    came.notify_one();
  });
  here.start();
  const int threads_before = threads();
  const long memory_before = resident_kb();
  there.start();
  std::printf("a process that follows one topic: %d threads and %ld KB more\n", threads() - threads_before,
              resident_kb() - memory_before);

  std::vector<double> times;
  const std::string payload(1200, 'x');
  here.publish(publisher, "key", payload);
  if (!tail.wait_for(publisher.head(), system_clock().now() + std::chrono::minutes(1)))
    throw std::runtime_error("the first record has not come");
  for (int i = 0; i < count; ++i) {
    const std::uint64_t sequence = here.publish(publisher, "key" + std::to_string(i % 100), payload).sequence;
    const Instant committed = system_clock().now();
    std::unique_lock lock(mutex);
    came.wait(lock, [&] { return seen >= sequence; });
    times.push_back(milliseconds_since(committed));
  }
  std::sort(times.begin(), times.end());
  const auto at = [&](double part) {
    return times[static_cast<std::size_t>(part * static_cast<double>(times.size() - 1))];
  };
  std::printf("from a commit to the handler of a tail, one at a time: p50 %.2f ms, p90 %.2f, p99 %.2f, max %.2f\n",
              at(0.5), at(0.9), at(0.99), times.back());

  const Instant begun = system_clock().now();
  for (int i = 0; i < count * 20; i += 100) {
    if (!here.store("producer").write([&](storage::Write& write) {
          for (int j = i; j < i + 100; ++j) publisher.publish(write, "key" + std::to_string(j % 100), payload);
        }))
      throw std::runtime_error("cannot publish");
  }
  const double published = milliseconds_since(begun);
  if (!tail.wait_for(publisher.head(), system_clock().now() + std::chrono::minutes(5)))
    throw std::runtime_error("records have not come");
  std::printf("%d records of %zu B, 100 a commit: %.0f a second published, %.0f a second to the tail\n", count * 20,
              payload.size(), count * 20 / published * 1000, count * 20 / milliseconds_since(begun) * 1000);
}

}  // namespace
}  // namespace backplane::log

int main(int argc, char** argv) {
  try {
    backplane::log::measure(argc > 1 ? std::atoi(argv[1]) : 2000);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "log_kafka_bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
