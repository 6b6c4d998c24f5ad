// Whom a call asks, in which order, and when it gives up.
#include "host/remote/call_course.h"

#include <gtest/gtest.h>

namespace backplane::host {
namespace {

using namespace std::chrono_literals;
using Found = CallCourse::Found;

const Instant start = Instant() + 100s;

TEST(CallCourse, goes_where_it_is_told) {
  CallCourse course(4, 1, true, start + 15s);
  EXPECT_EQ(course.target(), 1U);
  const auto step = course.next(Found::not_owner, 3, start);
  EXPECT_TRUE(step.again);
  EXPECT_EQ(step.pause, Duration::zero());
  EXPECT_EQ(course.target(), 3U);
}

TEST(CallCourse, asks_everybody_when_nobody_knows) {
  CallCourse course(3, 2, true, start + 15s);
  std::vector<std::size_t> asked{course.target()};
  while (course.next(Found::not_owner, std::nullopt, start).pause == Duration::zero()) asked.push_back(course.target());
  EXPECT_EQ(asked, (std::vector<std::size_t>{2, 0, 1}));
}

TEST(CallCourse, does_not_run_in_a_circle_between_two_that_name_each_other) {
  CallCourse course(2, 0, true, start + 15s);
  EXPECT_EQ(course.next(Found::not_owner, 1, start).pause, Duration::zero());
  const auto step = course.next(Found::not_owner, 0, start);
  EXPECT_TRUE(step.again);
  EXPECT_GT(step.pause, Duration::zero());
  EXPECT_EQ(course.target(), 0U) << "who was named last is asked first after the pause";
}

TEST(CallCourse, pauses_grow_to_a_limit_and_end_in_time) {
  CallCourse course(1, 0, true, start + 2s);
  Instant now = start;
  Duration last{};
  int rounds = 0;
  for (auto step = course.next(Found::not_owner, std::nullopt, now); step.again;
       step = course.next(Found::not_owner, std::nullopt, now)) {
    EXPECT_GE(step.pause, last);
    EXPECT_LE(step.pause, 250ms);
    last = step.pause;
    now += step.pause;
    ++rounds;
  }
  EXPECT_LT(now, start + 2s);
  EXPECT_GT(rounds, 5);
  EXPECT_LT(rounds, 20);
}

TEST(CallCourse, waits_for_a_host_that_is_to_be_back_soon) {
  for (const bool keyed : {true, false}) {
    CallCourse course(2, 0, keyed, start + 15s);
    EXPECT_EQ(course.next(Found::unreachable, std::nullopt, start, start + 8s).pause, Duration::zero());
    const auto step = course.next(Found::unreachable, std::nullopt, start, start + 8s);
    EXPECT_TRUE(step.again);
    EXPECT_GT(step.pause, Duration::zero());
    EXPECT_TRUE(course.next(Found::unreachable, std::nullopt, start + 8s, start + 8s).again) << "the other one";
    EXPECT_FALSE(course.next(Found::unreachable, std::nullopt, start + 8s, start + 8s).again);
  }
}

TEST(CallCourse, without_a_key_it_waits_for_somebody_to_own_something) {
  CallCourse course(2, 0, false, start + 15s);
  EXPECT_EQ(course.next(Found::not_owner, std::nullopt, start).pause, Duration::zero());
  EXPECT_TRUE(course.next(Found::unreachable, std::nullopt, start).again);
  CallCourse lost(1, 0, false, start + 15s);
  EXPECT_FALSE(lost.next(Found::lost, std::nullopt, start).again);
}

TEST(CallCourse, gives_up_at_once_when_nobody_can_be_reached) {
  CallCourse keyed(2, 0, true, start + 15s);
  EXPECT_TRUE(keyed.next(Found::unreachable, std::nullopt, start).again);
  EXPECT_FALSE(keyed.next(Found::unreachable, std::nullopt, start).again);
  CallCourse any(2, 1, false, start + 15s);
  EXPECT_TRUE(any.next(Found::unreachable, std::nullopt, start).again);
  EXPECT_EQ(any.target(), 0U);
  EXPECT_FALSE(any.next(Found::lost, std::nullopt, start).again);
}

TEST(CallCourse, waits_for_a_successor_while_the_owner_is_gone) {
  CallCourse course(2, 0, true, start + 15s);
  EXPECT_TRUE(course.next(Found::unreachable, std::nullopt, start).again);
  const auto step = course.next(Found::not_owner, 0, start);  // the other one has not noticed yet
  EXPECT_TRUE(step.again);
  EXPECT_GT(step.pause, Duration::zero());
}

TEST(CallCourse, ends_at_its_time) {
  CallCourse course(2, 0, true, start);
  EXPECT_FALSE(course.next(Found::not_owner, 1, start).again);
}

}  // namespace
}  // namespace backplane::host
