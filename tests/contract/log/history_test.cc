// What happens when the log does not hold what a group needs: snapshots, restored databases, disabled groups.
#include <gtest/gtest.h>

#include <filesystem>

#include "process.h"

namespace backplane::log {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class History : public LogContract {
 protected:
  /// The rows of a producer that holds `rows` things: a record each, two a page, named `snapshot <n>`.
  static Snapshot pages(int rows, std::function<Positions()> as_of,
                        std::function<void(std::uint64_t after)> on_page = {}) {
    return [=](const Positions& after) -> Result<SnapshotPage> {
      if (on_page) on_page(after.base());
      SnapshotPage page;
      for (std::uint64_t n = after.base() + 1; n <= static_cast<std::uint64_t>(rows) && page.records.size() < 2; ++n)
        page.records.push_back({"events", {0, n}, "key" + std::to_string(n), "snapshot " + std::to_string(n), 0, 0});
      page.last = after.base() + 2 >= static_cast<std::uint64_t>(rows);
      if (page.last) page.as_of = as_of();
      return page;
    };
  }
  static void forget(storage::Write& write) { write.execute("DELETE FROM effects"); }
  ConsumeOptions from_snapshot(int rows, Publisher& publisher, std::function<void(std::uint64_t)> on_page = {}) {
    ConsumeOptions options;
    options.snapshot = pages(
        rows, [&publisher] { return publisher.head(); }, std::move(on_page));
    options.reset = forget;
    return options;
  }
  static std::vector<std::string> snapshot(int rows, std::vector<std::string> then = {}) {
    std::vector<std::string> all;
    for (int n = 1; n <= rows; ++n) all.push_back("snapshot " + std::to_string(n));
    all.insert(all.end(), then.begin(), then.end());
    return all;
  }
  void copy_producer(const std::string& from, const std::string& to) {
    fs::remove_all(to);
    fs::create_directories(to);
    for (const auto& entry : fs::directory_iterator(from)) {
      if (entry.path().filename().string().starts_with("producer.sqlite"))
        fs::copy_file(entry.path(), fs::path(to) / entry.path().filename(), fs::copy_options::overwrite_existing);
    }
  }
  void restore_producer(const std::string& backup) {
    for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(world_->folder() + "/producer.sqlite" + suffix);
    for (const auto& entry : fs::directory_iterator(backup))
      fs::copy_file(entry.path(), fs::path(world_->folder()) / entry.path().filename());
  }
  /// Runs a process in which `group` takes in records first to last.
  void take_in(int first, int last) {
    Process process(*world_);
    Publisher& publisher = process.publisher();
    Consumer& consumer = process.consumer();
    process.start();
    for (int i = first; i <= last; ++i) process.publish(publisher, "key", std::to_string(i));
    ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  }
};

TEST_P(History, a_group_without_a_position_loads_the_snapshot_and_goes_on) {
  {
    Process before(*world_);
    Publisher& publisher = before.publisher();
    before.start();
    for (int i = 1; i <= 5; ++i) before.publish(publisher, "key", std::to_string(i));
  }
  Process process(*world_);
  Publisher& publisher = process.publisher();
  Consumer& consumer = process.consumer("group", nullptr, from_snapshot(5, publisher));
  process.start();
  ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  process.publish(publisher, "key", "6");
  ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  EXPECT_EQ(process.effects(), snapshot(5, {"6"}));
  EXPECT_EQ(process.metrics.value("log_snapshots_total{events,group}"), 1);
}

TEST_P(History, what_is_published_during_a_snapshot_comes_after_it) {
  Process process(*world_, system_clock(), {.upkeep_interval = 0s});
  Publisher& publisher = process.publisher();
  Positions as_of;
  ConsumeOptions options;
  options.snapshot = pages(
      6, [&] { return as_of; },
      [&](std::uint64_t after) {
        if (after == 0) as_of = publisher.head();
        process.publish(publisher, "key", "during " + std::to_string(after));
      });
  Consumer& consumer = process.consumer("group", nullptr, options);
  process.start();
  ASSERT_TRUE(eventually([&] { return consumer.position().covers(publisher.head()) && publisher.head().base() >= 3; }));
  EXPECT_EQ(process.effects(), snapshot(6, {"during 0", "during 2", "during 4"}));
}

TEST_P(History, a_crash_in_the_middle_of_a_snapshot_begins_it_again) {
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(killed([&] {
      Process process(*world_);
      Publisher& publisher = process.publisher();
      process.consumer("group", nullptr, from_snapshot(6, publisher, [](std::uint64_t after) {
                         if (after == 4) crash();  // two pages are in
                       }));
      process.start();
      eventually([] { return false; });
    }));
  }
  Process process(*world_);
  Publisher& publisher = process.publisher();
  std::vector<std::uint64_t> asked;
  Consumer& consumer = process.consumer(
      "group", nullptr, from_snapshot(6, publisher, [&](std::uint64_t after) { asked.push_back(after); }));
  process.start();
  process.publish(publisher, "key", "7");
  ASSERT_TRUE(consumer.wait_for(Positions(1), soon()));
  auto effects = process.effects();
  if (effects.back() == "7") effects.pop_back();  // unless the snapshot was taken after it
  EXPECT_EQ(effects, snapshot(6));
  EXPECT_EQ(asked, (std::vector<std::uint64_t>{0, 2, 4}));
}

TEST_P(History, a_restored_producer_is_seen_by_its_head_and_brings_a_snapshot) {
  if (!GetParam().restorable) GTEST_SKIP() << "no files to restore, or the restore is seen by the epoch";
  take_in(1, 3);
  const std::string backup = world_->folder() + "/backup";
  copy_producer(world_->folder(), backup);
  take_in(4, 6);
  restore_producer(backup);
  Process process(*world_);
  Publisher& publisher = process.publisher();
  Consumer& consumer = process.consumer("group", nullptr, from_snapshot(3, publisher));
  Tail& tail = process.log().tail({"events", [] { return Positions(6); }}, [](const Batch&) {});
  process.start();
  EXPECT_EQ(tail.followed(), Positions(3));
  ASSERT_TRUE(eventually([&] { return process.metrics.value("log_snapshots_total{events,group}") == 1; }));
  process.publish(publisher, "key", "new 4");
  ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  EXPECT_EQ(process.effects(), snapshot(3, {"new 4"}));
}

TEST_P(History, a_new_epoch_brings_a_snapshot) {
  take_in(1, 3);
  {
    Process restore(*world_);
    restore.publisher();
    restore.start();
    ASSERT_TRUE(restore.store("producer").write([](storage::Write& write) {
      write.execute("UPDATE bp_log SET epoch = ?", {"deadbeef"});
    }));
  }
  Process process(*world_);
  Publisher& publisher = process.publisher();
  Consumer& consumer = process.consumer("group", nullptr, from_snapshot(3, publisher));
  process.start();
  ASSERT_TRUE(eventually([&] { return process.metrics.value("log_snapshots_total{events,group}") == 1; }));
  process.publish(publisher, "key", "4");
  ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  EXPECT_EQ(process.effects(), snapshot(3, {"4"}));
}

TEST_P(History, in_another_history_groups_go_on_that_are_not_ahead_of_the_log) {
  const auto only_ahead = [this](Publisher& publisher) {
    ConsumeOptions options = from_snapshot(4, publisher);
    options.reset = [](storage::Write& write) { write.execute("DELETE FROM effects WHERE grp = 'ahead'"); };
    return options;
  };
  std::string before;
  {
    Process process(*world_);
    Publisher& publisher = process.publisher();
    Consumer& behind = process.consumer("behind");
    Consumer& ahead = process.consumer("ahead", nullptr, only_ahead(publisher));
    Tail& tail = process.log().tail({"events", {}}, [](const Batch&) {});
    process.start();
    for (int n = 1; n <= 3; ++n) process.publish(publisher, "key", std::to_string(n));
    ASSERT_TRUE(behind.wait_for(publisher.head(), soon()));
    ASSERT_TRUE(ahead.wait_for(publisher.head(), soon()));
    before = tail.epoch();
  }
  {
    Process process(*world_);
    Publisher& publisher = process.publisher();
    process.store("consumer");
    process.start();
    process.publish(publisher, "key", "4");
    // As if its database were of another day.
    ASSERT_TRUE(process.store("consumer").write([](storage::Write& write) {
      write.execute("UPDATE bp_positions SET positions = '9' WHERE grp = 'ahead'");
    }));
  }
  {
    Process process(*world_);
    process.publisher();
    process.consumer("behind");
    process.consumer("ahead");
    process.consumer("new");
    const NewHistories begun = process.begin_histories();
    ASSERT_EQ(begun.logs.size(), 1u);
    EXPECT_EQ(begun.logs[0].topics, std::vector<std::string>{"events"});
    ASSERT_EQ(begun.groups.size(), 2u);
    EXPECT_EQ(begun.groups[0].group, "behind");
    EXPECT_TRUE(begun.groups[0].goes_on);
    EXPECT_EQ(begun.groups[1].group, "ahead");
    EXPECT_FALSE(begun.groups[1].goes_on);
  }
  Process process(*world_);
  Publisher& publisher = process.publisher();
  Consumer& behind = process.consumer("behind");
  Consumer& ahead = process.consumer("ahead", nullptr, only_ahead(publisher));
  Tail& tail = process.log().tail({"events", {}}, [](const Batch&) {});
  process.start();
  EXPECT_NE(tail.epoch(), before);
  process.publish(publisher, "key", "5");
  ASSERT_TRUE(behind.wait_for(publisher.head(), soon()));
  ASSERT_TRUE(ahead.wait_for(publisher.head(), soon()));
  EXPECT_EQ(process.effects("behind"), numbered(1, 5));
  auto anew = process.effects("ahead");
  if (anew.back() == "5") anew.pop_back();  // unless the snapshot was taken after it
  EXPECT_EQ(anew, snapshot(4));
}

TEST_P(History, a_position_that_was_taken_away_brings_a_snapshot_at_the_next_record) {
  Process process(*world_);
  Publisher& publisher = process.publisher();
  bool stumbled = false;  // the runner's thread only
  Consumer& consumer = process.consumer(
      "group",
      [&](storage::Write&, const Record& record) {
        if (record.payload != "snapshot 2" || stumbled) return Outcome::done;
        stumbled = true;  // the page is taken in a record at a time then
        return Outcome::retry;
      },
      from_snapshot(3, publisher));
  process.start();
  process.publish(publisher, "key", "1");
  ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  stumbled = false;
  ASSERT_TRUE(
      process.store("consumer").write([](storage::Write& write) { write.execute("DELETE FROM bp_positions"); }));
  process.publish(publisher, "key", "2");
  ASSERT_TRUE(eventually([&] { return process.metrics.value("log_snapshots_total{events,group}") == 2; }));
  process.publish(publisher, "key", "3");
  ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  EXPECT_EQ(process.effects(), snapshot(3, {"3"}));
}

TEST_P(History, a_disabled_group_misses_nothing_when_it_comes_back) {
  take_in(1, 3);
  {
    Process without(*world_, system_clock(), {.upkeep_interval = 0s});
    Publisher& publisher = without.publisher();
    Consumer& other = without.consumer("other");
    without.start();
    for (int i = 4; i <= 9; ++i) without.publish(publisher, "key", std::to_string(i));
    ASSERT_TRUE(other.wait_for(publisher.head(), soon()));
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(without.store("producer").write([](storage::Write&) {}));
  }
  Process process(*world_);
  Publisher& publisher = process.publisher();
  Consumer& consumer = process.consumer("group", nullptr, from_snapshot(9, publisher));
  process.start();
  ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  EXPECT_EQ(process.effects(), numbered(1, 9));
  EXPECT_EQ(process.metrics.value("log_snapshots_total{events,group}"), 0);
}

TEST_P(History, a_group_that_was_disabled_for_too_long_takes_a_snapshot) {
  take_in(1, 3);
  world_->disabled_group_retention = 0s;
  {
    Process without(*world_, system_clock(), {.upkeep_interval = 0s});
    Publisher& publisher = without.publisher();
    Consumer& other = without.consumer("other");
    without.start();
    for (int i = 4; i <= 6; ++i) without.publish(publisher, "key", std::to_string(i));
    ASSERT_TRUE(other.wait_for(publisher.head(), soon()));
    ASSERT_TRUE(eventually([&] {
      EXPECT_TRUE(without.store("producer").write([](storage::Write&) {}));
      return without.count("producer", "bp_outbox") == 0;
    }));
  }
  world_->expire("events");
  Process process(*world_);
  Publisher& publisher = process.publisher();
  Consumer& consumer = process.consumer("group", nullptr, from_snapshot(6, publisher));
  process.start();
  ASSERT_TRUE(consumer.wait_for(publisher.head(), soon()));
  EXPECT_EQ(process.effects(), snapshot(6));
}

FOR_EVERY_TRANSPORT(History);

}  // namespace
}  // namespace backplane::log
