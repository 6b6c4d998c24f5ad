// How far others have come, asked for with few calls.
#include "host/remote/head_asker.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "support/internal_hosts.h"
#include "unit/host/test_parts.h"

namespace backplane::host::test {
namespace {

using namespace std::chrono_literals;
using log::Positions;

/// A host whose head the test sets, and whose answers it can hold back.
struct Publisher {
  explicit Publisher(const std::string& name, std::string start) : head(std::move(start)) {
    heads.list_heads.bind([this](const api::CallContext&, const api::ListHeadsRequest& request,
                                 const api::Reply<api::ListHeadsResponse>& reply) {
      std::unique_lock lock(mutex);
      ++calls;
      asked = request.topics;
      const auto answer = [this] { return api::ListHeadsResponse{{{"rooms", epoch, head}, {"users", epoch, "7"}}}; };
      if (!holding) return (void)reply(answer());
      held.push_back([reply, now = answer()] { (void)reply(now); });
    });
    serving = std::make_unique<ServingHost>(name, heads, nullptr, ServingHost::Options{});
  }
  void set(std::string positions) {
    const std::lock_guard lock(mutex);
    head = std::move(positions);
  }
  void hold(bool on) {
    std::vector<std::function<void()>> release;
    {
      const std::lock_guard lock(mutex);
      holding = on;
      if (!on) release.swap(held);
    }
    for (const auto& answer : release) answer();
  }
  int count() const {
    const std::lock_guard lock(mutex);
    return calls;
  }

  mutable std::mutex mutex;
  std::string head, epoch = "e1";
  std::vector<std::string> asked;
  int calls = 0;
  bool holding = false;
  std::vector<std::function<void()>> held;
  api::LogHeads heads;
  std::unique_ptr<ServingHost> serving;
};

struct HeadAskerTest : ::testing::Test {
  ~HeadAskerTest() override { calling.stop(); }
  void add(const Publisher& publisher, std::vector<std::string> topics) {
    const std::string& name = publisher.serving->name();
    asker.add_host(name, std::move(topics), calling.router({{name, &calling.host(name, publisher.serving->url())}}));
  }
  Result<Positions> ask(std::string_view topic = "rooms", Duration patience = 20s) {
    return asker.ask(topic, system_clock().now() + patience);
  }

  Publisher one{"one", "12.3:15"}, two{"two", "10.4:40"};
  std::vector<log::OwnHead> own;
  CallingHost calling;
  HeadAsker asker{[this](const std::vector<std::string>&) { return own; }, system_clock()};
};

TEST_F(HeadAskerTest, answers_what_all_publishers_have_come_to) {
  add(one, {"rooms", "users"});
  add(two, {"rooms"});
  own.push_back({"rooms", "e1", *Positions::decode("1.5:50")});
  const auto head = ask();
  ASSERT_TRUE(head.ok()) << head.error().text;
  EXPECT_EQ(head->of(0), 12U);
  EXPECT_EQ(head->of(3), 15U);
  EXPECT_EQ(head->of(4), 40U);
  EXPECT_EQ(head->of(5), 50U);
  EXPECT_EQ(one.asked, (std::vector<std::string>{"rooms", "users"})) << "one call is for all topics of the host";
  own.clear();
  EXPECT_EQ(ask("users")->base(), 7U);
  EXPECT_EQ(two.count(), 1);
}

TEST_F(HeadAskerTest, who_asks_while_a_call_is_under_way_waits_for_the_next_one) {
  add(one, {"rooms"});
  one.hold(true);
  auto first = std::async(std::launch::async, [&] { return ask(); });
  ASSERT_TRUE(eventually([&] { return one.count() == 1; }));
  one.set("99");  // written after the first call began: its answer does not tell of it
  std::vector<std::future<Result<Positions>>> later;
  std::atomic<int> begun{0};
  for (int i = 0; i < 20; ++i)
    later.push_back(std::async(std::launch::async, [&] {
      ++begun;
      return ask();
    }));
  ASSERT_TRUE(eventually([&] { return begun == 20; }));
  EXPECT_EQ(one.count(), 1);
  one.hold(false);
  EXPECT_EQ(first.get()->base(), 12U);
  for (auto& answer : later) {
    const auto head = answer.get();
    ASSERT_TRUE(head.ok()) << head.error().text;
    EXPECT_EQ(head->base(), 99U);
  }
  EXPECT_LT(one.count(), 20) << "they share calls";
}

TEST_F(HeadAskerTest, says_that_a_host_does_not_answer) {
  add(one, {"rooms"});
  add(two, {"rooms"});
  two.hold(true);
  const auto late = ask("rooms", 200ms);
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, ErrorCode::timeout);
  two.hold(false);
  EXPECT_TRUE(ask().ok());
  two.serving->stop();
  const auto away = ask();
  ASSERT_FALSE(away.ok());
  EXPECT_EQ(away.error().code, ErrorCode::unavailable);
}

TEST_F(HeadAskerTest, does_not_mix_histories) {
  add(one, {"rooms"});
  add(two, {"rooms"});
  two.epoch = "e2";
  EXPECT_EQ(ask().error().reason, "other_epoch");
  EXPECT_EQ(ask("nothing").error().reason, "no_publisher");
}

}  // namespace
}  // namespace backplane::host::test
