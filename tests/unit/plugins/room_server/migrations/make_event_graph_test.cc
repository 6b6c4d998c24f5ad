#include "migrations/make_event_graph.h"

#include <gtest/gtest.h>

#include "backplane/testing/temporary_database.h"
#include "migrations/migrations.h"
#include "store.h"

namespace backplane::room_server {
namespace {

/// A room as migration 2 knew it: who was a member, a message, a member's second membership, a topic.
void make_old_room(storage::Write& write, RoomNumber room) {
  write.execute(
      "INSERT INTO rooms (room, room_id, version, joined_members, published, join_rule, history_visibility) "
      "VALUES (?, ?, '12', 1, 0, 'invite', 'shared')",
      {room, "!" + std::to_string(room)});
  const auto add_event = [&](std::int64_t n, const char* type, std::optional<std::string> state_key) {
    write.execute(
        "INSERT INTO events (event_key, event_id, id_hash, log_lane, sequence, depth, type, state_key, sender, "
        "history_visibility, replaces, membership_before, membership_after, device, transaction_id, content_version, "
        "json) VALUES (?, ?, 0, 0, ?, ?, ?, ?, '@a:b', 'shared', '', '', '', '', '', 0, '{}')",
        {event_key(room, first_ordinal + n), "$" + std::to_string(n), room * 100 + n, n, type, state_key});
  };
  add_event(0, "m.room.create", "");
  add_event(1, "m.room.member", "@a:b");
  add_event(2, "m.room.message", std::nullopt);
  add_event(3, "m.room.member", "@a:b");
  add_event(4, "m.room.topic", "");
  const auto add_state = [&](const char* type, const char* state_key, std::int64_t n) {
    write.execute(
        "INSERT INTO current_state (room, type, state_key, ordinal, since, event_id, membership) "
        "VALUES (?, ?, ?, ?, ?, ?, '')",
        {room, type, state_key, first_ordinal + n, first_ordinal + n, "$" + std::to_string(n)});
  };
  add_state("m.room.create", "", 0);
  add_state("m.room.member", "@a:b", 3);
  add_state("m.room.topic", "", 4);
}

TEST(MakeEventGraphTest, gives_each_event_the_states_around_it) {
  testing::TemporaryDatabase database;
  const auto all = migrations();
  {
    const auto store = database.open(std::span(all).first(2));
    ASSERT_TRUE(store->write([](storage::Write& write) {
      make_old_room(write, 16);
      make_old_room(write, 33);
    }));
  }
  const auto store = database.open(all);
  ASSERT_TRUE(store->read([](storage::Session& session) {
    for (const RoomNumber room : {16, 33}) {
      std::map<std::string, StateNumber> numbers;
      for (const StateRow& row : tables::list_state(session, room)) numbers[row.type] = row.number;
      EXPECT_EQ(numbers,
                (std::map<std::string, StateNumber>{{"m.room.create", 1}, {"m.room.member", 2}, {"m.room.topic", 3}}));
      const auto entries_after = [&](std::int64_t n) {
        const auto event = tables::find_event(session, room, first_ordinal + n);
        return tables::find_snapshot(session, room, event->state_after)->entries();
      };
      constexpr std::uint32_t first = first_ordinal;
      EXPECT_EQ(entries_after(0), (StateDelta{{1, first}}));
      EXPECT_EQ(entries_after(1), (StateDelta{{1, first}, {2, first + 1}}));
      EXPECT_EQ(entries_after(2), entries_after(1));
      EXPECT_EQ(tables::find_event(session, room, first_ordinal + 3)->state_before,
                tables::find_event(session, room, first_ordinal + 2)->state_after);
      EXPECT_EQ(entries_after(4), (StateDelta{{1, first}, {2, first + 3}, {3, first + 4}}));
      EXPECT_EQ(tables::last_snapshot(session, room), 4);
    }
  }));
}

}  // namespace
}  // namespace backplane::room_server
