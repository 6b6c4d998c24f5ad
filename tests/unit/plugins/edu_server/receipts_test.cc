#include "edu_fixture.h"

namespace backplane::edu_server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct ReceiptsTest : EduFixture {
  auto submit(const UserId& user, std::string event, std::string type = "m.read", std::string thread = "",
              RoomId in = room) {
    return edus->submit_receipt({},
                                {std::move(in), user, std::move(type), EventId(std::move(event)), std::move(thread)});
  }
  static std::string line(std::string_view payload) {
    const auto r = from_json<api::ReceiptRecord>(payload);
    EXPECT_TRUE(r);
    return std::string(matrix::localpart(r->user)) + " " + r->receipt_type + " " + r->event_id.str() +
           (r->thread_id.empty() ? "" : " " + r->thread_id);
  }
  std::vector<std::string> published() {
    std::vector<std::string> out;
    for (const auto& record : host.records(api::receipts_topic)) out.push_back(line(record->payload));
    return out;
  }
};

TEST_F(ReceiptsTest, AreForThoseInTheRoom) {
  EXPECT_EQ(outcome(submit(carol, "$1")), "denied/not_in_room");
  EXPECT_EQ(outcome(submit(alice, "$1", "m.fully_read")), "invalid/invalid_param");
  EXPECT_EQ(outcome(submit(alice, "$1", "m.read", "", RoomId("!other:x"))), "denied/not_in_room");
  EXPECT_THAT(published(), IsEmpty());
}

TEST_F(ReceiptsTest, AdvanceAndAreToldOnce) {
  const auto first = submit(alice, "$1");
  ASSERT_EQ(outcome(first), "ok");
  EXPECT_EQ(outcome(submit(alice, "$1")), "ok");
  EXPECT_EQ(outcome(submit(bob, "$1")), "ok");
  const auto second = submit(alice, "$2");
  ASSERT_EQ(outcome(second), "ok");
  EXPECT_THAT(published(), ElementsAre("alice m.read $1", "bob m.read $1", "alice m.read $2"));
  const auto records = host.records(api::receipts_topic);
  EXPECT_EQ(records[0]->position, first->position);
  EXPECT_EQ(records[2]->position, second->position);
  EXPECT_EQ(records[0]->key, room.str());
  EXPECT_EQ(from_json<api::ReceiptRecord>(records[0]->payload)->ts, host.fake_clock().wall_ms());
}

TEST_F(ReceiptsTest, KindsAndThreadsAreApart) {
  (void)submit(alice, "$1");
  (void)submit(alice, "$1", "m.read.private");
  (void)submit(alice, "$1", "m.read", "main");
  (void)submit(alice, "$1", "m.read", "$thread");
  (void)submit(alice, "$1", "m.read", "$thread");
  EXPECT_THAT(published(), ElementsAre("alice m.read $1", "alice m.read.private $1", "alice m.read $1 main",
                                       "alice m.read $1 $thread"));
}

TEST_F(ReceiptsTest, OneCommitEach) {
  const auto before = commits();
  (void)submit(alice, "$1");
  EXPECT_EQ(commits(), before + 1);
}

TEST_F(ReceiptsTest, AFailedWriteTellsNothing) {
  host.fail_writes("edu_server", unavailable("storage", "full"));
  EXPECT_EQ(outcome(submit(alice, "$1")), "unavailable/storage");
  EXPECT_THAT(published(), IsEmpty());
  EXPECT_EQ(outcome(submit(alice, "$1")), "ok");
  EXPECT_EQ(published().size(), 1U);
}

TEST_F(ReceiptsTest, TheSnapshotHasWhatHoldsNow) {
  for (const char* event : {"$1", "$2", "$3"}) {
    (void)submit(alice, event);
    (void)submit(bob, event, "m.read.private");
  }
  (void)submit(alice, "$t", "m.read", "$thread");
  restart();
  (void)submit(bob, "$3", "m.read.private");  // as it was
  for (const std::uint32_t limit : {0U, 1U, 2U, 3U, 500U}) {
    std::vector<std::string> lines;
    log::Positions after;
    for (bool last = false; !last;) {
      const auto page = edus->list_receipts({}, {after.encode(), limit});
      ASSERT_EQ(outcome(page), "ok");
      for (const auto& record : page->records) {
        after = log::Positions(record.position.sequence);
        lines.push_back(line(record.payload.text));
        EXPECT_EQ(record.key, room.str());
      }
      last = page->last;
      ASSERT_TRUE(last || !page->records.empty());
      EXPECT_TRUE(log::Positions::decode(page->as_of)->covers(host.records(api::receipts_topic).back()->position));
    }
    EXPECT_THAT(lines, ElementsAre("alice m.read $3", "bob m.read.private $3", "alice m.read $t $thread")) << limit;
  }
  EXPECT_EQ(outcome(edus->list_receipts({}, {"nonsense", 5})), "invalid/invalid_param");
}

}  // namespace
}  // namespace backplane::edu_server
