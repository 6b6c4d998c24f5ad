#include "backplane/base/task.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace backplane {
namespace {

/// Waits until somebody says so.
struct Signal {
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> task) { waiting = task; }
  void await_resume() const {}
  void give() { std::exchange(waiting, nullptr).resume(); }
  std::coroutine_handle<> waiting;
};

Task<Result<int>> add_up(Signal& signal, int count) {
  int sum = 0;
  for (int i = 1; i <= count; ++i) {
    co_await signal;
    sum += i;
  }
  co_return sum;
}

Task<Result<int>> twice(Signal& signal, int count) {
  BACKPLANE_CO_TRY(sum, co_await add_up(signal, count));
  co_return 2 * sum;
}

Task<Result<int>> fails() { co_return not_found("nothing", "there is nothing"); }
Task<Result<int>> passes_on() {
  BACKPLANE_CO_TRY(never, co_await fails());
  co_return never;
}
Task<Result<void>> checks(bool& went_on) {
  BACKPLANE_CO_CHECK(co_await fails());
  went_on = true;
  co_return Result<void>();
}
Task<Result<int>> throws() {
  throw std::runtime_error("oh");
  co_return 1;
}

template <class T>
struct Outcome {
  std::optional<Result<T>> result;
  std::function<void(Result<T>)> keep() {
    return [this](Result<T> r) { result.emplace(std::move(r)); };
  }
};

TEST(TaskTest, goes_on_when_what_it_waits_for_comes) {
  Signal signal;
  Outcome<int> outcome;
  start<int>(twice(signal, 3), outcome.keep());
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(outcome.result);
    signal.give();
  }
  ASSERT_TRUE(outcome.result && *outcome.result);
  EXPECT_EQ(**outcome.result, 12);
}

TEST(TaskTest, what_never_waits_is_done_at_once) {
  Signal signal;
  Outcome<int> outcome;
  start<int>(twice(signal, 0), outcome.keep());
  ASSERT_TRUE(outcome.result && *outcome.result);
  EXPECT_EQ(**outcome.result, 0);
}

TEST(TaskTest, errors_end_a_task) {
  Outcome<int> outcome;
  start<int>(passes_on(), outcome.keep());
  ASSERT_TRUE(outcome.result && !*outcome.result);
  EXPECT_EQ(outcome.result->error().reason, "nothing");
  bool went_on = false;
  Outcome<void> checked;
  start<void>(checks(went_on), checked.keep());
  ASSERT_TRUE(checked.result && !*checked.result);
  EXPECT_FALSE(went_on);
}

TEST(TaskTest, what_escapes_is_an_internal_error) {
  Outcome<int> outcome;
  start<int>(throws(), outcome.keep());
  ASSERT_TRUE(outcome.result && !*outcome.result);
  EXPECT_EQ(outcome.result->error().code, ErrorCode::internal);
  EXPECT_NE(outcome.result->error().text.find("oh"), std::string::npos);
}

TEST(TaskTest, one_that_was_never_begun_goes_quietly) {
  Signal signal;
  { const auto never = twice(signal, 3); }
  EXPECT_FALSE(signal.waiting);
}

}  // namespace
}  // namespace backplane
