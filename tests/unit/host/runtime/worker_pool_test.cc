#include "host/runtime/worker_pool.h"

#include <gtest/gtest.h>

#include <latch>
#include <stdexcept>

#include "unit/host/test_parts.h"

namespace backplane::host::test {
namespace {

using namespace std::chrono_literals;

WorkerPoolOptions options(std::size_t threads, std::size_t queue) {
  WorkerPoolOptions made;
  made.max_threads = threads;
  made.max_queue = queue;
  return made;
}

TEST(WorkerPool, GrowsToItsMostThenQueuesThenRefuses) {
  RecordingSink log;
  WorkerPool pool(options(3, 2), system_clock(), log.logger("pool"));
  std::latch go(1);
  std::atomic<int> done = 0;
  const auto work = [&] {
    go.wait();
    ++done;
  };
  for (std::size_t i = 1; i <= 3; ++i) {
    EXPECT_TRUE(pool.submit(work));
    EXPECT_EQ(pool.threads(), i);
  }
  EXPECT_TRUE(pool.submit(work));
  EXPECT_TRUE(pool.submit(work));
  EXPECT_EQ(pool.queued(), 2U);
  EXPECT_FALSE(pool.submit(work));
  go.count_down();
  pool.stop();
  EXPECT_EQ(done, 5) << "what was taken is run";
  EXPECT_FALSE(pool.submit(work));
  EXPECT_EQ(pool.threads(), 0U);
}

TEST(WorkerPool, RunsInOrderOnOneThread) {
  RecordingSink log;
  WorkerPool pool(options(1, 1000), system_clock(), log.logger("pool"));
  std::vector<int> order;
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(pool.submit([&order, i] { order.push_back(i); }));
  pool.stop();
  ASSERT_EQ(order.size(), 500U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(WorkerPool, IdleThreadsAreUsedAgainAndLeave) {
  ManualClock clock;
  RecordingSink log;
  WorkerPool pool(options(8, 10), clock, log.logger("pool"));
  for (int i = 0; i < 20; ++i) {
    std::latch done(1);
    ASSERT_TRUE(pool.submit([&done] { done.count_down(); }));
    done.wait();
    std::this_thread::sleep_for(1ms);  // until it is idle, and has left the latch
  }
  EXPECT_LE(pool.threads(), 3U);
  EXPECT_GE(pool.threads(), 1U);
  clock.advance(11s);
  EXPECT_TRUE(eventually([&pool] { return pool.threads() == 0; }));
  std::latch again(1);
  ASSERT_TRUE(pool.submit([&again] { again.count_down(); }));
  again.wait();
}

TEST(WorkerPool, WorkThatWaitsDoesNotHoldUpTheQueue) {
  ManualClock clock;  // stands still: rescue must not depend on it
  RecordingSink log;
  WorkerPool pool(options(64, 10'000), clock, log.logger("pool"));
  std::atomic<int> ran = 0;
  // Work that never waits teaches the pool to run few at once,
  for (int i = 0; i < 5000; ++i) ASSERT_TRUE(pool.submit([&ran] { ++ran; }));
  ASSERT_TRUE(eventually([&ran] { return ran == 5000; }));
  // then each of these waits for all of them.
  constexpr int together = 40;
  std::latch all(together);
  for (int i = 0; i < together; ++i) ASSERT_TRUE(pool.submit([&all] { all.arrive_and_wait(); }));
  EXPECT_TRUE(eventually([&] { return all.try_wait() && pool.busy() == 0; }));
  pool.stop();
}

TEST(WorkerPool, ExceptionsAreLoggedAndDropped) {
  RecordingSink log;
  WorkerPool pool(options(1, 10), system_clock(), log.logger("pool"));
  ASSERT_TRUE(pool.submit([] { throw std::runtime_error("oops"); }));
  ASSERT_TRUE(pool.submit([] { throw 1; }));
  std::atomic<bool> ran = false;
  ASSERT_TRUE(pool.submit([&ran] { ran = true; }));
  pool.stop();
  EXPECT_TRUE(ran);
  EXPECT_TRUE(log.has("pool: work threw an exception pool=worker what=oops"));
}

TEST(WorkerPool, ManyThreadsMaySubmit) {
  RecordingSink log;
  WorkerPool pool(options(16, 100'000), system_clock(), log.logger("pool"));
  std::atomic<int> ran = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 2000; ++i) {
          const bool waits = i % 50 == 0;
          ASSERT_TRUE(pool.submit([&ran, waits] {
            if (waits) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            ++ran;
          }));
          if (i % 100 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
      });
    }
  }
  EXPECT_TRUE(eventually([&] { return ran == 8000 && pool.busy() == 0; }));
  EXPECT_EQ(pool.queued(), 0U);
  pool.stop();
}

}  // namespace
}  // namespace backplane::host::test
