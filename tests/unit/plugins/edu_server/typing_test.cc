#include <mutex>

#include "edu_fixture.h"

namespace backplane::edu_server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Follows the volatile topic, as sync_api does.
class Listener final : public plugin::Plugin {
 public:
  explicit Listener(plugin::Host& host) : host_(host) {}
  Result<void> wire(plugin::Wiring& wiring) override {
    tail_ = &wiring.log().tail({.topic = std::string(api::typing_topic), .from = {}}, [this](const log::Batch& batch) {
      const std::lock_guard lock(mutex_);
      for (const auto& record : batch.records) records_.push_back(record);
    });
    return {};
  }
  /// What has been told so far: who types, and for how many milliseconds that is worth knowing.
  std::vector<std::string> heard() {
    // In real time, for the tail has a thread of its own; the fake clock does not pass by itself.
    EXPECT_TRUE(tail_->wait_for(tail_->head(), host_.clock().now() + seconds(10)));
    const std::lock_guard lock(mutex_);
    std::vector<std::string> out;
    for (const auto& record : records_) {
      const auto typing = from_json<api::TypingRecord>(record->payload);
      EXPECT_TRUE(typing);
      EXPECT_EQ(record->key, typing->room_id.str());
      std::string line;
      for (const UserId& user : typing->users) line += std::string(matrix::localpart(user)) + " ";
      out.push_back(line + std::to_string(record->expires_ms - record->written_ms));
    }
    return out;
  }

 private:
  plugin::Host& host_;
  log::Tail* tail_ = nullptr;
  std::mutex mutex_;
  std::vector<log::RecordPtr> records_;
};

struct TypingTest : EduFixture {
  TypingTest() {
    host.stop();
    host.add("listener", [this](plugin::Host& h) {
      auto made = std::make_unique<Listener>(h);
      listener = made.get();
      return made;
    });
    start();
  }
  std::string set(const UserId& user, bool typing, std::int64_t timeout_ms = 10'000) {
    return outcome(edus->set_typing({}, {room, user, typing, timeout_ms}));
  }
  /// Time passes once everything so far was heard: what has expired is told to nobody.
  void pass(Duration duration) {
    (void)listener->heard();
    host.advance(duration);
  }
  std::string typing() {
    std::string out;
    const auto listed = edus->list_typing({}, {room});
    for (const UserId& user : listed->users) out += std::string(matrix::localpart(user)) + " ";
    return out;
  }
  Listener* listener = nullptr;
};

TEST_F(TypingTest, IsForThoseInTheRoom) {
  EXPECT_EQ(set(carol, true), "denied/not_in_room");
  EXPECT_EQ(set(carol, false), "denied/not_in_room");
  EXPECT_EQ(typing(), "");
  EXPECT_EQ(commits(), 0U);
}

TEST_F(TypingTest, TellsWhoTypesAtEachChange) {
  EXPECT_EQ(set(alice, true), "ok");
  EXPECT_EQ(set(bob, true, 20'000), "ok");
  EXPECT_EQ(typing(), "alice bob ");
  EXPECT_EQ(set(alice, false), "ok");
  EXPECT_EQ(set(alice, false), "ok") << "again";
  EXPECT_EQ(set(bob, false), "ok");
  EXPECT_EQ(typing(), "");
  EXPECT_THAT(listener->heard(), ElementsAre("alice 10000", "alice bob 20000", "bob 20000", "60000"));
  EXPECT_EQ(commits(), 0U) << "nothing of it is stored";
}

TEST_F(TypingTest, Expires) {
  (void)set(alice, true, 5'000);
  (void)set(bob, true, 8'000);
  pass(milliseconds(4'999));
  EXPECT_EQ(typing(), "alice bob ");
  pass(milliseconds(1));
  EXPECT_EQ(typing(), "bob ");
  pass(seconds(3));
  EXPECT_EQ(typing(), "");
  EXPECT_THAT(listener->heard(), ElementsAre("alice 5000", "alice bob 8000", "bob 3000", "60000"));
}

TEST_F(TypingTest, ARenewalReplacesTheExpiryAndIsNoNews) {
  (void)set(alice, true, 5'000);
  pass(seconds(4));
  (void)set(alice, true, 5'000);
  pass(seconds(4));
  EXPECT_EQ(typing(), "alice ") << "the first expiry has passed";
  pass(seconds(1));
  EXPECT_EQ(typing(), "");
  EXPECT_THAT(listener->heard(), ElementsAre("alice 5000", "60000"));
}

TEST_F(TypingTest, AShorterRenewalEndsSooner) {
  (void)set(alice, true, 20'000);
  (void)set(alice, true, 2'000);
  pass(seconds(2));
  EXPECT_EQ(typing(), "");
  pass(seconds(18));
  EXPECT_EQ(listener->heard().size(), 2U) << "the first timer finds nothing";
}

TEST_F(TypingTest, StoppedAndBegunAgainIsNotEndedByTheOldTimer) {
  (void)set(alice, true, 5'000);
  (void)set(alice, false);
  pass(seconds(1));
  (void)set(alice, true, 10'000);
  pass(seconds(5));
  EXPECT_EQ(typing(), "alice ");
  EXPECT_THAT(listener->heard(), ElementsAre("alice 5000", "60000", "alice 10000"));
}

TEST_F(TypingTest, TimeoutsAreBounded) {
  (void)set(alice, true, 9'007'199'254'740'991);  // more nanoseconds than there are
  EXPECT_EQ(typing(), "alice ");
  pass(seconds(30));
  EXPECT_EQ(typing(), "") << "typing_timeout";
  (void)set(alice, true, 0);
  (void)set(alice, true, -5);
  EXPECT_EQ(typing(), "");
  EXPECT_THAT(listener->heard(), ElementsAre("alice 30000", "60000"));
}

}  // namespace
}  // namespace backplane::edu_server
