// What is known of a topic's lanes from the entries that have come, and what a cursor makes of them.
#include "topic_stream.h"

#include <gtest/gtest.h>

#include "backplane/testing/temporary_database.h"

namespace backplane::log_kafka {
namespace {

using Reading = TopicStream::Reading;

class Stream : public ::testing::Test {
 protected:
  Stream() : stream_({"events", "test.events"}, 64 * 1024, system_clock(), testing::quiet_logger()) {
    for (std::uint16_t lane = 0; lane < log::lane_count; ++lane) stream_.begin_lane(lane, 0);
  }
  Entry control(std::uint16_t lane, std::uint64_t after, std::uint64_t sequence, const std::string& epoch = "e") {
    Entry entry;
    entry.lane = lane;
    entry.offset = offsets_[lane]++;
    entry.timestamp_ms = ++time_;
    entry.epoch = epoch;
    entry.after = after;
    entry.sequence = sequence;
    return entry;
  }
  Entry record(std::uint16_t lane, std::uint64_t after, std::uint64_t sequence, std::size_t size = 1) {
    Entry entry = control(lane, after, sequence);
    entry.record = std::make_shared<const log::Record>(
        log::Record{"events", {lane, sequence}, "key", std::string(size, 'x'), 0, 0});
    return entry;
  }
  void append(std::vector<Entry> entries) { stream_.append(std::move(entries)); }
  void begin_all(std::uint64_t at, const std::string& epoch = "e") {
    for (std::uint16_t lane = 0; lane < log::lane_count; ++lane) append({control(lane, at, at, epoch)});
  }
  TopicStream::Cursor seek(std::uint64_t position) {
    TopicStream::Cursor cursor;
    stream_.adopt(cursor);
    cursor.position.fill(position);
    cursor.next.fill(TopicStream::unknown);
    return cursor;
  }
  TopicStream::Outcome read(TopicStream::Cursor& cursor) {
    records_.clear();
    return stream_.read(cursor, 100, records_);
  }

  TopicStream stream_;
  Offsets offsets_{};
  std::int64_t time_ = 0;
  std::vector<log::RecordPtr> records_;
};

TEST_F(Stream, an_announcement_moves_quiet_lanes_when_their_last_record_was_seen) {
  begin_all(0);
  Entry last = record(2, 0, 7);
  auto announcement = std::make_shared<Announcement>();
  announcement->lanes.set();
  announcement->head = 7;
  announcement->last[2] = 7;
  announcement->last[5] = 6;  // that one is not here yet
  last.announcement = announcement;
  append({last});
  EXPECT_EQ(stream_.head(), log::Positions(7));
  auto cursor = seek(0);
  EXPECT_EQ(read(cursor).reading, Reading::ok);
  EXPECT_EQ(to_positions(cursor.position).of(5), 0u);
  EXPECT_EQ(to_positions(cursor.position).of(4), 7u);
  append({record(5, 0, 6)});
  EXPECT_EQ(read(cursor).reading, Reading::ok);
  ASSERT_EQ(records_.size(), 1u);
  EXPECT_EQ(to_positions(cursor.position), log::Positions(7));
}

TEST_F(Stream, repetitions_are_dropped_and_holes_are_seen) {
  begin_all(0);
  append({record(1, 0, 3), record(1, 3, 5), record(1, 0, 3), record(1, 3, 5), record(1, 6, 9)});
  auto cursor = seek(0);
  auto outcome = read(cursor);
  EXPECT_EQ(records_.size(), 2u);
  EXPECT_EQ(outcome.reading, Reading::hole);
  EXPECT_EQ(outcome.lane, 1);
  EXPECT_EQ(outcome.entry.after, 6u);
  EXPECT_EQ(cursor.position[1], 5u);
}

TEST_F(Stream, another_epoch_replaces_the_one_before_and_its_stragglers_are_skipped) {
  begin_all(5);
  append({record(0, 5, 6)});
  auto cursor = seek(5);
  EXPECT_EQ(read(cursor).reading, Reading::ok);
  Entry straggler = record(3, 5, 8);
  straggler.timestamp_ms = 1;
  append({control(0, 2, 2, "f")});
  append({straggler});
  EXPECT_EQ(stream_.epoch(), "f");
  EXPECT_EQ(stream_.head().highest(), 2u);
  EXPECT_EQ(read(cursor).reading, Reading::other_history);
}

TEST_F(Stream, what_has_left_the_ring_is_asked_for_by_those_who_need_it) {
  begin_all(0);
  auto slow = seek(0);
  EXPECT_EQ(read(slow).reading, Reading::waiting);
  for (std::uint64_t n = 1; n <= 20; ++n) append({record(4, n - 1, n, 8192)});
  const auto outcome = read(slow);
  EXPECT_EQ(outcome.reading, Reading::behind);
  EXPECT_GT(outcome.floor[4], 1);
  // Who has got so far needs nothing from before.
  auto quick = seek(0);
  quick.position[4] = 19;
  EXPECT_EQ(read(quick).reading, Reading::ok);
  EXPECT_EQ(records_.size(), 1u);
  EXPECT_EQ(quick.position[4], 20u);
}

TEST_F(Stream, a_lane_that_begins_again_keeps_the_others) {
  begin_all(0);
  append({record(1, 0, 1), record(2, 0, 2)});
  auto cursor = seek(0);
  (void)read(cursor);
  EXPECT_EQ(records_.size(), 2u);
  offsets_[1] = 0;
  stream_.begin_lane(1, 0);
  append({control(1, 0, 0), record(1, 0, 1), record(1, 1, 3), record(2, 2, 4)});
  auto again = seek(2);
  EXPECT_NE(read(again).reading, Reading::hole);
  EXPECT_EQ(records_.size(), 2u);
}

TEST_F(Stream, connected_is_who_has_reached_the_ends_of_before) {
  EXPECT_FALSE(stream_.connected());
  begin_all(0);
  Offsets ends;
  ends.fill(1);
  stream_.note_ends(ends);
  EXPECT_TRUE(stream_.connected());
  ends[3] = 2;
  stream_.note_ends(ends);  // just now
  EXPECT_TRUE(stream_.connected());
  EXPECT_EQ(stream_.lag(), 1);
  stream_.note_ends(ends);  // and it has not come since
  EXPECT_FALSE(stream_.connected());
  append({record(3, 0, 1)});
  stream_.note_ends(ends);
  EXPECT_TRUE(stream_.connected());
}

}  // namespace
}  // namespace backplane::log_kafka
