#include "backplane/api/ask.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <thread>

#include "backplane/base/task.h"
#include "test_interface.h"

namespace backplane::api::test {
namespace {

using ::testing::ElementsAre;

/// Keeps work until the test runs it.
struct QueuedExecutor final : Executor {
  bool submit(std::function<void()> work) override {
    if (stopped) return false;
    queue.push_back(std::move(work));
    return true;
  }
  void run() {
    while (!queue.empty()) {
      const auto work = std::move(queue.front());
      queue.pop_front();
      work();
    }
  }
  std::deque<std::function<void()>> queue;
  bool stopped = false;
};

struct AskTest : ::testing::Test {
  AskTest() {
    oracle.ask_afar.bind([this](const CallContext&, const Question& question, Reply<Answer> reply) {
      if (answers_at_once) reply(Answer{"at once " + question.text});
      else held.emplace_back(std::move(reply));
    });
  }
  Task<Result<std::string>> ask_twice() {
    const Question first{"a"};
    BACKPLANE_CO_TRY(a, co_await ask(workers, oracle.ask_afar, first));
    const Question second{a.text + "b"};
    BACKPLANE_CO_TRY(b, co_await ask(workers, oracle.ask_afar, second));
    co_return b.text;
  }
  Task<Result<std::vector<std::string>>> ask_for_all(int count) {
    std::vector<Question> questions;
    for (int i = 0; i < count; ++i) questions.push_back({std::to_string(i)});
    auto answers = co_await ask_all(workers, oracle.ask_afar, questions);
    std::vector<std::string> texts;
    for (auto& answer : answers) texts.push_back(answer ? answer->text : answer.error().reason);
    co_return std::move(texts);
  }

  QueuedExecutor workers;
  Oracle oracle;
  bool answers_at_once = false;
  std::deque<Reply<Answer>> held;
};

TEST_F(AskTest, goes_on_on_the_workers) {
  std::string answer;
  start<std::string>(ask_twice(), [&](Result<std::string> text) { answer = *text; });
  ASSERT_EQ(held.size(), 1U);
  held[0](Answer{"x"});
  EXPECT_EQ(held.size(), 1U);
  workers.run();
  ASSERT_EQ(held.size(), 2U);
  held[1](Answer{"y"});
  EXPECT_EQ(answer, "");
  workers.run();
  EXPECT_EQ(answer, "y");
}

TEST_F(AskTest, goes_straight_on_when_the_answer_comes_at_once) {
  answers_at_once = true;
  std::string answer;
  start<std::string>(ask_twice(), [&](Result<std::string> text) { answer = *text; });
  EXPECT_EQ(answer, "at once at once ab");
  EXPECT_TRUE(workers.queue.empty());
}

TEST_F(AskTest, a_dropped_call_is_an_error) {
  std::optional<Result<std::string>> answer;
  start<std::string>(ask_twice(), [&](Result<std::string> text) { answer = std::move(text); });
  held.clear();
  workers.run();
  ASSERT_TRUE(answer && !*answer);
  EXPECT_EQ(answer->error().code, ErrorCode::internal);
}

TEST_F(AskTest, goes_on_where_the_answer_came_when_the_workers_have_stopped) {
  workers.stopped = true;
  std::optional<Result<std::string>> answer;
  start<std::string>(ask_twice(), [&](Result<std::string> text) { answer = std::move(text); });
  held[0](Answer{"x"});
  held[1](not_found("nothing", ""));
  ASSERT_TRUE(answer && !*answer);
  EXPECT_EQ(answer->error().reason, "nothing");
}

TEST_F(AskTest, all_are_asked_at_once_and_answered_in_their_order) {
  std::vector<std::string> answers;
  start<std::vector<std::string>>(ask_for_all(3), [&](Result<std::vector<std::string>> texts) { answers = *texts; });
  ASSERT_EQ(held.size(), 3U);
  held[2](Answer{"two"});
  held[0](Answer{"zero"});
  workers.run();
  EXPECT_THAT(answers, ElementsAre());
  held[1](unavailable("away", ""));
  workers.run();
  EXPECT_THAT(answers, ElementsAre("zero", "away", "two"));
}

TEST_F(AskTest, nothing_to_ask_is_answered_at_once) {
  std::vector<std::string> answers{"none"};
  start<std::vector<std::string>>(ask_for_all(0), [&](Result<std::vector<std::string>> texts) { answers = *texts; });
  EXPECT_THAT(answers, ElementsAre());
}

/// Answers race with the return from the calls.
TEST_F(AskTest, answers_may_come_on_any_thread) {
  struct ThreadExecutor final : Executor {
    bool submit(std::function<void()> work) override {
      work();
      return true;
    }
  } inline_workers;
  Oracle threaded;
  std::atomic<int> done = 0;
  std::mutex mutex;
  std::vector<std::jthread> threads;  // joined first of all
  threaded.ask_afar.bind([&](const CallContext&, const Question& question, const Reply<Answer>& reply) {
    const std::lock_guard lock(mutex);
    threads.emplace_back([reply, text = question.text] { reply(Answer{text}); });
  });
  const auto ask_often = [&]() -> Task<Result<int>> {
    int count = 0;
    for (int i = 0; i < 50; ++i) {
      const std::vector<Question> questions{{"a"}, {"b"}};
      auto answers = co_await ask_all(inline_workers, threaded.ask_afar, questions);
      count += static_cast<int>(answers.size());
    }
    co_return count;
  };
  start<int>(ask_often(), [&](const Result<int>& count) {
    done = *count;
    done.notify_all();
  });
  done.wait(0);
  EXPECT_EQ(done, 100);
}

}  // namespace
}  // namespace backplane::api::test
