// /messages where the history is at other servers.
#include "sync_fixture.h"
#include "unit/plugins/room_server/far_server.h"

namespace backplane::sync_api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string dave = "@dave:far.example";

struct BackfillTest : SyncFixture {
  BackfillTest() {
    host.stop();
    host.provide(far_server.federation);
    host.provide(far_server.keys);
    start();
    room = make_room(alice);
    std::vector<matrix::Event> line;
    for (const auto& record : host.records("room_events")) {
      const auto told = *from_json<api::RoomEventRecord>(record->payload);
      line.push_back(matrix::Event::from_stored(told.event.text, told.event_id, *matrix::find_room_version("11")));
    }
    graph.emplace(*matrix::find_room_version("11"), line, key);
    last = graph->add({dave, "m.room.member", dave, R"({"membership":"join"})", {line.back().event_id()}});
    receive(last);
  }
  ~BackfillTest() override { host.stop(); }  // before those whom it asks

  /// Dave says m0, m1 and so on; only the last is sent here.
  void say_far(int count) {
    for (int i = 0; i < count; ++i)
      last = graph->add({dave, "m.room.message", {}, R"({"body":"m)" + std::to_string(i) + "\"}", {last}});
    receive(last);
  }
  void receive(const EventId& event_id) {
    api::ReceivedEvent event;
    event.event.text = graph->find(event_id).event.json();
    const auto response = rooms->receive_events({}, {room, {event}, ServerName("far.example")});
    EXPECT_TRUE(response) << (response ? "" : response.error().text);
  }

  testing::FakeRandom chance{7};
  const matrix::SigningKey key = std::move(*matrix::SigningKey::generate("far", chance));
  std::optional<matrix::RoomGraph> graph;
  room_server::FarServer far_server{graph};
  RoomId room;
  EventId last;
};

TEST_F(BackfillTest, who_scrolls_into_a_gap_gets_what_is_in_it) {
  say_far(50);
  // The last, twenty before it, and the one that those follow, are here.
  const Json first = messages(alice, room, "dir=b&limit=20");
  EXPECT_EQ(first["chunk"].events().front(), "m49");
  EXPECT_EQ(first["chunk"].events().back(), "m30");
  far_server.asked.clear();
  std::vector<std::string> told;
  std::string from = first["end"].string();
  while (!from.empty()) {
    const Json page = messages(alice, room, "dir=b&limit=20&from=" + from);
    for (std::string& event : page["chunk"].events()) told.push_back(std::move(event));
    from = page["end"].string();
  }
  std::vector<std::string> expected;
  for (int i = 29; i >= 0; --i) expected.push_back("m" + std::to_string(i));
  for (const char* const type :
       {"m.room.member/@dave:far.example", "m.room.guest_access", "m.room.history_visibility", "m.room.join_rules",
        "m.room.power_levels", "m.room.member/@alice:test.example", "m.room.create"})
    expected.emplace_back(type);
  std::erase(told, "m.room.canonical_alias");
  EXPECT_EQ(told, expected);
  EXPECT_THAT(far_server.asked, ::testing::Contains("get_backfill far.example"));
}

TEST_F(BackfillTest, a_page_comes_without_what_nobody_has) {
  say_far(50);
  far_server.is_down = true;
  const Json page = messages(alice, room, "dir=b&limit=100");
  EXPECT_EQ(page["chunk"].events().front(), "m49");
  EXPECT_EQ(page["chunk"].events().back(), "m.room.create");
}

TEST_F(BackfillTest, where_nothing_is_missing_nobody_is_asked) {
  messages(alice, room, "dir=b&limit=100");
  EXPECT_THAT(far_server.asked, IsEmpty());
}

}  // namespace
}  // namespace backplane::sync_api
