// Figures, printed and not asserted: throughput, and what a record costs after its commit.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdio>

#include "process.h"

namespace backplane::log {
namespace {

using namespace std::chrono_literals;

class Speed : public LogContract {
 protected:
  static double cpu_us() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  }
  static double seconds_since(Instant begun) {
    return std::chrono::duration<double>(system_clock().now() - begun).count();
  }
  /// CPU of one commit with one record, in microseconds; with a tail or without.
  double cost_of_a_commit(bool with_tail, bool publish) {
    Process process(*world_);
    Publisher& publisher = process.publisher();
    if (with_tail) process.log().tail({"events", {}}, [](const Batch&) {});
    process.start();
    constexpr int rounds = 5000;
    const auto once = [&](storage::Write& write) {
      add_effect(write, "group", "row");
      if (publish) publisher.publish(write, "key", std::string(1200, 'x'));
    };
    for (int i = 0; i < 500; ++i) EXPECT_TRUE(process.store("producer").write(once));
    const double begun = cpu_us();
    for (int i = 0; i < rounds; ++i) EXPECT_TRUE(process.store("producer").write(once));
    return (cpu_us() - begun) / rounds;
  }
};

TEST_P(Speed, of_100000_records) {
  Process process(*world_);
  Publisher& publisher = process.publisher();
  Consumer& consumer = process.consumer();
  Tail& tail = process.log().tail({"events", {}}, [](const Batch&) {});
  process.start();
  constexpr int records = 100'000;
  const Instant begun = system_clock().now();
  const double cpu_begun = cpu_us();
  for (int i = 0; i < records; i += 100) {
    const auto written = process.store("producer").write([&](storage::Write& write) {
      for (int j = i; j < i + 100; ++j) publisher.publish(write, "key" + std::to_string(j % 50), std::string(600, 'x'));
    });
    ASSERT_TRUE(written);
  }
  const double published = seconds_since(begun);
  ASSERT_TRUE(tail.wait_for(publisher.head(), system_clock().now() + 100s));
  ASSERT_TRUE(consumer.wait_for(publisher.head(), system_clock().now() + 100s));
  const double consumed = seconds_since(begun);
  EXPECT_EQ(process.count("consumer", "effects"), records);
  std::printf(
      "%d records of 600 B, 100 a commit: published in %.2f s (%.0f/s), consumed in %.2f s (%.0f/s), %.1f us of CPU "
      "a record in all\n",
      records, published, records / published, consumed, records / consumed, (cpu_us() - cpu_begun) / records);
}

TEST_P(Speed, of_one_record_a_commit) {
  const double bare = cost_of_a_commit(false, false);
  const double published = cost_of_a_commit(false, true);
  const double tailed = cost_of_a_commit(true, true);
  std::printf("CPU of a commit: %.1f us without a record, %.1f with one, %.1f with one and a tail\n", bare, published,
              tailed);
}

TEST_P(Speed, of_a_wait_for_what_is_there) {
  Process process(*world_);
  Publisher& publisher = process.publisher();
  Tail& tail = process.log().tail({"events", {}}, [](const Batch&) {});
  process.start();
  const Position position = process.publish(publisher, "key", "1");
  ASSERT_TRUE(tail.wait_for(publisher.head(), soon()));
  Positions lane;
  lane.advance(position);
  constexpr int rounds = 1'000'000;
  const Instant deadline = soon();
  for (const Positions& wanted : {publisher.head(), lane}) {
    const Instant begun = system_clock().now();
    int reached = 0;
    for (int i = 0; i < rounds; ++i) reached += tail.wait_for(wanted, deadline) ? 1 : 0;
    std::printf("wait_for(%s) when it is there: %.1f ns\n", wanted.encode().c_str(),
                seconds_since(begun) / rounds * 1e9);
    EXPECT_EQ(reached, rounds);
  }
}

FOR_EVERY_TRANSPORT(Speed);

}  // namespace
}  // namespace backplane::log
