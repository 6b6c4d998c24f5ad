// Pages that wait for a room_server which answers when the test says so.
#include "routes/parked_pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include "backplane/testing/fake_host.h"

namespace backplane::sync_api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct ParkedPagesTest : ::testing::Test {
  ParkedPagesTest() {
    rooms.backfill.bind([this](const api::CallContext& context, const api::BackfillRequest& wanted,
                               const api::Reply<api::BackfillResponse>& reply) {
      deadline = context.deadline;
      asked.push_back(wanted);
      if (answers) reply(*answers);
      else held.push_back(reply);
    });
    request.deadline = host.clock().now() + std::chrono::seconds(30);
  }
  void wait() {
    pages.wait(request, {RoomId("!r:x"), 5, 9, 20}, [this](bool came) { gone_on.push_back(came); });
  }

  testing::FakeHost host;
  api::RoomServer rooms;
  ParkedPages pages{host, rooms};
  http::Request request;
  std::optional<Result<api::BackfillResponse>> answers;
  std::vector<api::Reply<api::BackfillResponse>> held;
  std::vector<api::BackfillRequest> asked;
  Instant deadline;
  std::vector<bool> gone_on;
};

TEST_F(ParkedPagesTest, an_answer_within_the_call_is_the_pages) {
  answers = api::BackfillResponse{true};
  wait();
  EXPECT_THAT(gone_on, ElementsAre(true));
  answers = api::BackfillResponse{false};
  wait();
  answers = unavailable("unreachable", "nobody answers");
  wait();
  EXPECT_THAT(gone_on, ElementsAre(true, false, false));
  ASSERT_EQ(asked.size(), 3U);
  EXPECT_EQ(asked[0].depth, 5);
  EXPECT_EQ(asked[0].from_depth, 9);
  host.advance(std::chrono::minutes(1));
  EXPECT_EQ(gone_on.size(), 3U);
}

TEST_F(ParkedPagesTest, an_answer_that_comes_in_time_is_the_pages) {
  wait();
  EXPECT_EQ(deadline, host.clock().now() + std::chrono::seconds(10));
  host.advance(std::chrono::seconds(9));
  EXPECT_THAT(gone_on, IsEmpty());
  held[0](api::BackfillResponse{true});
  EXPECT_THAT(gone_on, ElementsAre(true));
  host.advance(std::chrono::minutes(1));
  EXPECT_EQ(gone_on.size(), 1U);
}

TEST_F(ParkedPagesTest, an_answer_that_comes_late_is_nobodys) {
  wait();
  request.deadline = host.clock().now() + std::chrono::seconds(4);
  wait();
  EXPECT_EQ(deadline, host.clock().now() + std::chrono::seconds(2));
  host.advance(std::chrono::seconds(2));
  EXPECT_THAT(gone_on, ElementsAre(false));
  host.advance(std::chrono::seconds(8));
  EXPECT_THAT(gone_on, ElementsAre(false, false));
  for (const auto& reply : held) reply(api::BackfillResponse{true});
  EXPECT_EQ(gone_on.size(), 2U);
  pages.stop();  // and waits for nobody
}

TEST_F(ParkedPagesTest, who_waits_when_the_server_stops_goes_on_with_what_is_here) {
  wait();
  wait();
  pages.drain();
  EXPECT_THAT(gone_on, ElementsAre(false, false));
  wait();
  EXPECT_EQ(gone_on.size(), 3U);
  EXPECT_EQ(asked.size(), 2U);
  pages.stop();
  held[0](api::BackfillResponse{true});
  held.clear();
  EXPECT_EQ(gone_on.size(), 3U);
}

TEST_F(ParkedPagesTest, the_end_waits_for_a_page_that_goes_on) {
  std::atomic<bool> is_on{false}, may_end{false}, has_ended{false};
  pages.wait(request, {RoomId("!r:x"), 0, 0, 20}, [&](bool) {
    is_on = true;
    is_on.notify_one();
    may_end.wait(false);
    has_ended = true;
  });
  std::thread answering([&] { held[0](api::BackfillResponse{true}); });
  is_on.wait(false);
  std::thread releasing([&] {
    may_end = true;
    may_end.notify_one();
  });
  pages.stop();
  EXPECT_TRUE(has_ended);
  answering.join();
  releasing.join();
}

}  // namespace
}  // namespace backplane::sync_api
