#include "migrations/find_member_servers.h"

#include <gtest/gtest.h>

#include "backplane/testing/temporary_database.h"
#include "migrations/migrations.h"
#include "store.h"

namespace backplane::room_server {
namespace {

TEST(FindMemberServersTest, tells_the_servers_of_members) {
  testing::TemporaryDatabase database;
  const auto all = migrations();
  {
    const auto store = database.open(std::span(all).first(3));
    ASSERT_TRUE(store->write([](storage::Write& write) {
      write.execute(
          "INSERT INTO rooms (room, room_id, version, joined_members, published, join_rule, history_visibility) "
          "VALUES (16, '!16', '12', 3, 0, 'invite', 'shared')");
      int number = 0;
      for (const auto& [type, state_key, membership] :
           std::vector<std::tuple<std::string, std::string, std::string>>{{"m.room.member", "@a:one", "join"},
                                                                          {"m.room.member", "@b:two:8448", "join"},
                                                                          {"m.room.member", "@c:two:8448", "join"},
                                                                          {"m.room.member", "@d:three", "leave"},
                                                                          {"m.room.member", "nobody", "invite"},
                                                                          {"org.example", "@a:four", "join"}}) {
        write.execute(
            "INSERT INTO current_state (room, type, state_key, ordinal, event_id, membership, number) "
            "VALUES (16, ?, ?, 1, '$1', ?, ?)",
            {type, state_key, membership, ++number});
      }
    }));
  }
  const auto store = database.open(all);
  ASSERT_TRUE(store->read([](storage::Session& session) {
    EXPECT_EQ(tables::list_joined_servers(session, 16), (std::vector{ServerName("two:8448"), ServerName("one")}));
    EXPECT_TRUE(tables::is_joined(session, 16, ServerName("one")));
    EXPECT_FALSE(tables::is_joined(session, 16, ServerName("three")));
    EXPECT_FALSE(tables::is_joined(session, 16, ServerName("four")));
    EXPECT_FALSE(tables::is_joined(session, 17, ServerName("one")));
    const auto members = tables::list_members_of(session, 16, ServerName("three"));
    ASSERT_EQ(members.size(), 1U);
    EXPECT_EQ(members[0].state_key, "@d:three");
    EXPECT_EQ(members[0].number, 4U);
    EXPECT_EQ(members[0].membership, "leave");
  }));
}

}  // namespace
}  // namespace backplane::room_server
