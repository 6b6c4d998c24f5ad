#include "migrations/note_times_of_receipt.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "backplane/testing/temporary_database.h"
#include "migrations/migrations.h"
#include "store.h"

namespace backplane::room_server {
namespace {

TEST(NoteTimesOfReceiptTest, times_grow_with_the_order_of_events) {
  testing::TemporaryDatabase database;
  const auto all = migrations();
  const auto own = std::ranges::find(all, "times_of_receipt", &storage::Migration::name);
  ASSERT_NE(own, all.end());
  const auto add = [](storage::Write& write, RoomNumber room, std::int64_t ordinal, std::int64_t ts) {
    const std::int64_t key = event_key(room, ordinal);
    write.execute(
        "INSERT INTO events (event_key, event_id, id_hash, log_lane, sequence, depth, type, state_key, sender, "
        "history_visibility, replaces, membership_before, membership_after, device, transaction_id, content_version, "
        "json) VALUES (?, ?, 0, 0, ?, 1, 'm.room.message', NULL, '@a:b', 'shared', '', '', '', '', '', 0, ?)",
        {key, "$" + std::to_string(key), key, R"({"origin_server_ts":)" + std::to_string(ts) + "}"});
  };
  {
    const auto store = database.open(std::span(all).first(static_cast<std::size_t>(own - all.begin())));
    ASSERT_TRUE(store->write([&](storage::Write& write) {
      for (const RoomNumber room : {16, 33}) {
        add(write, room, first_ordinal - 1, 900);
        for (std::int64_t i = 0; i < 1500; ++i) add(write, room, first_ordinal + i, room + (i == 3 ? 0 : i));
      }
    }));
  }
  const auto store = database.open(all);
  ASSERT_TRUE(store->read([](storage::Session& session) {
    for (const RoomNumber room : {16, 33}) {
      const auto received = [&](std::int64_t ordinal) {
        return session.find<std::int64_t>("SELECT received_ms FROM events WHERE event_key = ?",
                                          {event_key(room, ordinal)});
      };
      EXPECT_EQ(received(first_ordinal - 1), 900);
      EXPECT_EQ(received(first_ordinal), room);
      EXPECT_EQ(received(first_ordinal + 2), room + 2);
      EXPECT_EQ(received(first_ordinal + 3), room + 2);
      EXPECT_EQ(received(first_ordinal + 1499), room + 1499);
      EXPECT_EQ(tables::find_ordinal_at(session, room, first_ordinal, room + 1000), first_ordinal + 1000);
      EXPECT_EQ(tables::find_ordinal_at(session, room, first_ordinal, 9'999'999), first_ordinal + 1500);
      EXPECT_EQ(tables::find_ordinal_at(session, room, first_ordinal + 1200, 1), first_ordinal + 1200);
    }
  }));
}

}  // namespace
}  // namespace backplane::room_server
