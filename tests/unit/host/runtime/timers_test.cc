#include "host/runtime/timers.h"

#include <gtest/gtest.h>

#include "host/runtime/worker_pool.h"
#include "unit/host/test_parts.h"

namespace backplane::host::test {
namespace {

using namespace std::chrono_literals;

class TimersTest : public ::testing::Test {
 protected:
  ~TimersTest() override { finish(); }
  /// Work may use what a test's body has: no work is under way any more.
  void finish() {
    timers.stop();
    pool.stop();
  }
  Instant in(Duration duration) const { return clock.now() + duration; }

  ManualClock clock;
  RecordingSink log;
  WorkerPool pool{{"timers", 2, 10'000}, clock, log.logger("pool")};
  TimerService timers{clock, system_random(), pool, log.logger("timers")};
};

TEST_F(TimersTest, BeginInTheOrderOfTheirInstants) {
  std::mutex mutex;
  std::vector<int> order;
  const auto note = [&](int n) {
    return [&, n] {
      const std::lock_guard lock(mutex);
      order.push_back(n);
    };
  };
  timers.at(in(3s), note(3));
  timers.at(in(1s), note(1));
  timers.at(in(2s), note(2));
  EXPECT_EQ(timers.waiting(), 3U);
  for (std::size_t i = 1; i <= 3; ++i) {
    clock.advance(1s);
    ASSERT_TRUE(eventually([&] {
      const std::lock_guard lock(mutex);
      return order.size() == i;
    }));
  }
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(timers.waiting(), 0U);
  finish();
}

TEST_F(TimersTest, CancelledOnesDoNotRun) {
  std::atomic<int> ran = 0;
  const plugin::TimerId one = timers.at(in(1s), [&ran] { ran += 1; });
  timers.at(in(1s), [&ran] { ran += 10; });
  EXPECT_NE(one, 0U);
  timers.cancel(one);
  timers.cancel(one);
  timers.cancel(12345);
  clock.advance(2s);
  ASSERT_TRUE(eventually([&ran] { return ran == 10; }));
  std::this_thread::sleep_for(5ms);
  EXPECT_EQ(ran, 10);
  finish();
}

TEST_F(TimersTest, RepeatWithJitterAndNeverOverlap) {
  std::atomic<int> ran = 0;
  std::atomic<int> running = 0;
  std::atomic<bool> overlapped = false;
  timers.every("sweep", 10s, [&] {
    if (++running > 1) overlapped = true;
    ++ran;
    --running;
  });
  clock.advance(8999ms);
  std::this_thread::sleep_for(5ms);
  EXPECT_EQ(ran, 0) << "not before nine tenths";
  clock.advance(2001ms);
  ASSERT_TRUE(eventually([&ran] { return ran == 1; }));
  for (int i = 2; i < 6; ++i) {
    ASSERT_TRUE(eventually([this] { return timers.waiting() == 1; }));
    clock.advance(11s);
    ASSERT_TRUE(eventually([&ran, i] { return ran == i; }));
  }
  EXPECT_FALSE(overlapped);
  finish();
}

TEST_F(TimersTest, AnExceptionIsLoggedAndTheTimerGoesOn) {
  std::atomic<int> ran = 0;
  timers.every("bad", 1s, [&ran] {
    ++ran;
    throw std::runtime_error("broken");
  });
  clock.advance(2s);
  ASSERT_TRUE(eventually([&ran] { return ran == 1; }));
  ASSERT_TRUE(eventually([this] { return timers.waiting() == 1; }));
  clock.advance(2s);
  EXPECT_TRUE(eventually([&ran] { return ran == 2; }));
  EXPECT_TRUE(log.has("timer=bad what=broken"));
  finish();
}

TEST_F(TimersTest, NothingBeginsInDrain) {
  std::atomic<int> ran = 0;
  timers.at(in(1s), [&ran] { ++ran; });
  timers.every("sweep", 1s, [&ran] { ++ran; });
  timers.drain();
  EXPECT_EQ(timers.at(in(1s), [&ran] { ++ran; }), 0U);
  EXPECT_EQ(timers.waiting(), 0U);
  clock.advance(10s);
  std::this_thread::sleep_for(5ms);
  EXPECT_EQ(ran, 0);
  finish();
}

TEST_F(TimersTest, ThousandsAreCheap) {
  std::atomic<int> ran = 0;
  for (int i = 0; i < 10'000; ++i) timers.at(in(std::chrono::milliseconds(i % 1000)), [&ran] { ++ran; });
  clock.advance(1s);
  EXPECT_TRUE(eventually([&ran] { return ran == 10'000; }));
  finish();
}

TEST_F(TimersTest, AFullExecutorGetsItLater) {
  WorkerPool narrow({"narrow", 1, 1}, clock, log.logger("pool"));
  TimerService few(clock, system_random(), narrow, log.logger("timers"));
  std::atomic<int> ran = 0;
  for (int i = 0; i < 10; ++i) {
    few.at(in(1s), [&ran] {
      std::this_thread::sleep_for(1ms);
      ++ran;
    });
  }
  clock.advance(1s);
  EXPECT_TRUE(eventually([&] {
    clock.advance(5ms);
    return ran == 10;
  }));
  few.stop();
  narrow.stop();
  finish();
}

}  // namespace
}  // namespace backplane::host::test
