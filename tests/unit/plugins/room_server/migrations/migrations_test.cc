#include "migrations/migrations.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "backplane/testing/temporary_database.h"
#include "store.h"

namespace backplane::room_server {
namespace {

TEST(MigrationsTest, state_events_get_the_ids_of_their_events) {
  testing::TemporaryDatabase database;
  const auto all = migrations();
  {
    const auto store = database.open(std::span(all).first(7));
    ASSERT_TRUE(store->write([](storage::Write& write) {
      std::vector<EventRow> events(3);
      std::vector<const EventRow*> rows;
      for (int i = 0; i < 3; ++i) {
        events[i].ordinal = 10 + i;
        events[i].event_id = EventId("$" + std::to_string(i));
        events[i].position.sequence = i + 1;
        rows.push_back(&events[i]);
      }
      tables::insert_events(write, 16, rows, 0);
      for (const std::int64_t ordinal : {10, 12}) {
        write.execute("INSERT INTO state_events (event_key, number, auth_events) VALUES (?, 1, ?)",
                      {event_key(16, ordinal), Bytes{}});
      }
    }));
  }
  const auto store = database.open(all);
  std::set<EventId> ids;
  ASSERT_TRUE(store->read([&](storage::Session& session) {
    tables::each_state_event_id(session, 16, std::vector<std::int64_t>{10, 11, 12},
                                [&](EventId id) { ids.insert(id); });
  }));
  EXPECT_EQ(ids, (std::set{EventId("$0"), EventId("$2")}));
}

}  // namespace
}  // namespace backplane::room_server
