// The rows that records become, however they fall into batches.
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "backplane/testing/postgresql_server.h"
#include "backplane/testing/temporary_database.h"
#include "migrations/migrations.h"
#include "store.h"

namespace backplane::sync_api {
namespace {

using api::RoomEventKind;

class Index {
 private:
  template <class... Columns>
  auto list(std::string_view sql) {
    return store_->read([&](storage::Session& session) { return session.list<Columns...>(sql); }).value();
  }

 public:
  Index() : store_(database_.open(migrations())) {}
  explicit Index(const testing::PostgresqlServer& server) : database_(server), store_(database_.open(migrations())) {}

  void index(const std::vector<RoomRecordPtr>& records, std::size_t batch) {
    store::RoomIndexer indexer;
    for (std::size_t begin = 0; begin < records.size(); begin += batch) {
      const auto written = store_->write([&](storage::Write& write) {
        indexer.begin();
        for (std::size_t i = begin; i < std::min(records.size(), begin + batch); ++i) indexer.add(write, records[i]);
        indexer.write(write);
      });
      ASSERT_TRUE(written) << written.error().text;
    }
  }

  using State = std::tuple<std::string, std::string, std::string, std::int64_t, std::int64_t, std::string,
                           std::optional<std::int64_t>>;
  using Entry =
      std::tuple<std::string, std::int64_t, std::int64_t, std::string, std::string, std::optional<std::string>>;
  using Room = std::tuple<std::string, std::int64_t, std::int64_t>;
  std::vector<State> states() {
    return list<std::string, std::string, std::string, std::int64_t, std::int64_t, std::string,
                std::optional<std::int64_t>>(
        "SELECT r.room, s.type, s.state_key, s.from_sequence, s.to_sequence, s.event_id, s.membership FROM state s "
        "JOIN rooms r ON r.id = s.room ORDER BY r.room, s.type, s.state_key, s.from_sequence");
  }
  std::vector<Entry> timeline() {
    return list<std::string, std::int64_t, std::int64_t, std::string, std::string, std::optional<std::string>>(
        "SELECT r.room, t.sequence, t.topological, t.event_id, t.type, t.device FROM timeline t JOIN rooms r ON "
        "r.id = t.room ORDER BY t.sequence");
  }
  using Span = std::tuple<Sequence, Sequence, Sequence>;
  /// Of rooms `a` and `b`: position, and between which ones it happened.
  std::vector<Span> history() {
    std::vector<Span> spans;
    const auto read = store_->read([&](storage::Session& session) {
      for (const char* const room : {"!a:x", "!b:x"}) {
        for (const EntryPtr& entry : store::page(session, *store::find_room(session, RoomId(room)), {}, true, 100)) {
          if (entry->kind == EntryKind::history) spans.emplace_back(entry->sequence, entry->earliest, entry->latest);
          else EXPECT_EQ(std::pair(entry->earliest, entry->latest), std::pair(entry->sequence, entry->sequence));
        }
      }
    });
    EXPECT_TRUE(read) << read.error().text;
    std::ranges::sort(spans);
    return spans;
  }
  std::vector<Room> rooms() {
    return list<std::string, std::int64_t, std::int64_t>("SELECT room, lane, last_sequence FROM rooms ORDER BY room");
  }

 private:
  testing::TemporaryDatabase database_;
  std::unique_ptr<storage::Store> store_;
};

/// Records of rooms `a` to `d`, with growing positions.
class Records {
 public:
  Records& say(char room) {
    add(room, "m.room.message");
    return *this;
  }
  /// `old`: the number of the record that it replaces, from 1; 0: none.
  Records& set(char room, std::string type, std::string key, std::size_t old,
               RoomEventKind kind = RoomEventKind::new_event) {
    auto& data = add(room, type);
    data.kind = kind;
    data.state_change = api::StateChange{std::move(type), std::move(key), id(old), data.event_id};
    if (data.type == "m.room.member") data.membership = api::MembershipChange{UserId("@u:x"), "", "join"};
    return *this;
  }
  Records& remove(char room, std::string type, std::size_t old) {
    auto& data = add(room, type);
    data.kind = RoomEventKind::state_changed;
    data.state_change = api::StateChange{std::move(type), "", id(old), {}};
    return *this;
  }
  Records& purge(char room, std::size_t which) {
    auto& data = add(room, "");
    data.kind = RoomEventKind::purged;
    data.event_id = id(which);
    return *this;
  }
  Records& come_late(char room, std::int64_t depth) {
    auto& data = add(room, "m.room.message");
    data.kind = RoomEventKind::history;
    data.topological = depth;
    return *this;
  }
  Records& say_at(char room, std::int64_t depth) {
    add(room, "m.room.message").topological = depth;
    return *this;
  }
  std::vector<RoomRecordPtr> all() const { return {records_.begin(), records_.end()}; }

 private:
  static EventId id(std::size_t number) { return number == 0 ? EventId() : EventId("$" + std::to_string(number)); }
  api::RoomEventRecord& add(char room, std::string type) {
    const auto number = records_.size() + 1;
    const auto record = std::make_shared<RoomRecord>();
    record->position = {static_cast<std::uint16_t>(room - 'a'), number * 10};
    record->data.room_id = RoomId(std::string("!") + room + ":x");
    record->data.event_id = id(number);
    record->data.type = std::move(type);
    record->data.sender = "@u:x";
    record->data.topological = static_cast<std::int64_t>(number);
    record->data.history_visibility = "shared";
    record->data.device = DeviceId(number % 2 == 0 ? "D" : "");
    return records_.emplace_back(record)->data;
  }
  std::vector<std::shared_ptr<RoomRecord>> records_;
};

std::vector<RoomRecordPtr> mixed() {
  Records records;
  records.set('a', "m.room.create", "", 0).set('a', "m.room.member", "@u:x", 0).set('b', "m.room.create", "", 0);
  records.set('a', "m.room.name", "", 0).say('a').set('a', "m.room.name", "", 4).say('b');
  records.set('a', "m.room.name", "", 6).set('b', "m.room.topic", "", 0).purge('a', 5);
  records.remove('a', "m.room.name", 8).set('a', "m.room.name", "", 0).set('b', "m.room.topic", "", 9);
  // By resolution: what it comes in the place of is not always told.
  records.set('b', "m.room.topic", "", 0, RoomEventKind::state_changed).set('a', "m.room.member", "@u:x", 2);
  for (int i = 0; i < 40; ++i) records.say("abcd"[i % 4]);
  records.set('c', "m.room.name", "", 0).set('d', "m.room.name", "", 0).set('d', "m.room.name", "", 57);
  return records.all();
}

TEST(RoomIndexerTest, BatchesMakeTheRowsThatSingleRecordsMake) {
  Index single;
  single.index(mixed(), 1);
  ASSERT_EQ(single.states().size(), 14U);
  ASSERT_EQ(single.timeline().size(), 56U);
  for (const std::size_t batch : {2, 3, 5, 8, 17, 100}) {
    Index batched;
    batched.index(mixed(), batch);
    EXPECT_EQ(batched.states(), single.states()) << batch;
    EXPECT_EQ(batched.timeline(), single.timeline()) << batch;
    EXPECT_EQ(batched.rooms(), single.rooms()) << batch;
  }
}

TEST(RoomIndexerTest, AnIntervalEndsWhereTheNextBegins) {
  Index index;
  index.index(
      Records().set('a', "m.room.name", "", 0).set('a', "m.room.name", "", 1).remove('a', "m.room.name", 2).all(), 10);
  const auto states = index.states();
  ASSERT_EQ(states.size(), 2U);
  EXPECT_EQ(std::get<3>(states[0]), 10);
  EXPECT_EQ(std::get<4>(states[0]), 20);
  EXPECT_EQ(std::get<3>(states[1]), 20);
  EXPECT_EQ(std::get<4>(states[1]), 30);
}

TEST(RoomIndexerTest, RecordsThatComeAgainChangeNothing) {
  Index index;
  index.index(mixed(), 7);
  const auto states = index.states();
  const auto timeline = index.timeline();
  for (const std::size_t batch : {1, 100}) {
    auto again = mixed();
    std::erase_if(again, [](const auto& record) { return record->data.kind == RoomEventKind::purged; });
    std::erase_if(again, [](const auto& record) { return record->data.event_id == EventId("$5"); });
    index.index(again, batch);
    EXPECT_EQ(index.states(), states) << batch;
    EXPECT_EQ(index.timeline(), timeline) << batch;
  }
}

TEST(RoomIndexerTest, HistoryIsPlacedByItsDepth) {
  Records records;
  records.say_at('a', 5).say_at('b', 1).say_at('a', 6);                                   // 10 to 30
  records.set('a', "m.room.topic", "", 0, RoomEventKind::state_changed).say_at('a', 50);  // 40, and 50 that brought it
  records.say_at('a', 51).say_at('b', 9);                                                 // 60 and 70
  records.come_late('a', 30).come_late('a', 20).come_late('a', 40);                       // between 6 and 50
  records.say_at('a', 25);  // told now, whatever depth it says
  records.come_late('a', 22).come_late('a', 6).come_late('a', 5).come_late('a', 4).come_late('a', 3);
  records.come_late('b', 9).come_late('a', 60);
  const std::vector<Index::Span> expected{
      {80, 30, 49},   {90, 30, 49},   {100, 30, 49},  // after the one of depth 6, before that of 50
      {120, 60, 109},  // before the one that is less deep, and came after the deeper ones
      {130, 10, 29},  {140, 0, 9},    {150, 0, 9},   {160, 0, 9},  // before all
      {170, 20, 69},  {180, 110, 180}};                            // deeper than all
  const auto try_batches = [&](Index& index, std::size_t batch) {
    index.index(records.all(), batch);
    EXPECT_EQ(index.history(), expected) << batch;
    index.index(records.all(), 4);
    EXPECT_EQ(index.history(), expected) << batch;
  };
  const testing::PostgresqlServer server;
  for (const std::size_t batch : {1, 2, 3, 5, 100}) {
    Index sqlite;
    try_batches(sqlite, batch);
  }
  for (const std::size_t batch : {1, 100}) {
    Index postgresql(server);
    try_batches(postgresql, batch);
  }
}

}  // namespace
}  // namespace backplane::sync_api
