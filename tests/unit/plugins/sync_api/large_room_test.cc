// Rooms and backlogs that are too large to be held in memory at once.
#include <algorithm>
#include <set>

#include "sync_fixture.h"

namespace backplane::sync_api {
namespace {

constexpr const char* own_type = "org.example.place";

struct LargeRoomTest : SyncFixture {
  /// Of so many pieces of state beside those that every room has.
  RoomId make_large_room(std::size_t pieces) {
    std::vector<api::StateDraft> places;
    for (std::size_t i = 0; i < pieces; ++i) places.push_back({own_type, std::to_string(i), {R"({"taken":true})"}});
    return make_room(alice, {}, "public_chat", std::move(places));
  }
  /// Those of the pieces in some lists of events; each once.
  static std::set<std::string> pieces(const std::vector<Json>& lists) {
    std::set<std::string> keys;
    for (const Json& list : lists) {
      for (const Json& event : list.elements()) {
        if (event["type"].string() != own_type) continue;
        EXPECT_TRUE(keys.insert(event["state_key"].string()).second) << event["state_key"].string() << " comes twice";
      }
    }
    return keys;
  }
  std::int64_t unindexed() { return host.metric("sync_api", "unindexed_records"); }
};

TEST_F(LargeRoomTest, AStateOfManyEventsIsAllThere) {
  const RoomId room = make_large_room(2'500);
  const Json joined = sync(alice)["rooms"]["join"][room.view()];
  EXPECT_EQ(pieces({joined["state"]["events"], joined["timeline"]["events"]}).size(), 2'500);
  // What is filtered out leaves neither text nor a comma.
  const Json none = sync(alice, "", filter(R"({"room":{"state":{"not_senders":["@alice:test.example"]}}})"));
  EXPECT_THAT(state(none, room), ::testing::IsEmpty());
  const Json after = sync(alice, "", "use_state_after=true")["rooms"]["join"][room.view()]["state_after"]["events"];
  EXPECT_EQ(pieces({after}).size(), 2'500);
}

TEST_F(LargeRoomTest, RecordsAreNotFollowedFarBeyondTheIndex) {
  host.hold_writer("sync_api");
  std::vector<RoomId> made;
  for (int i = 0; i < 25; ++i) made.push_back(make_large_room(1'000));
  for (int i = 0; i < 1000 && unindexed() < 20'000; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_GE(unindexed(), 20'000);
  EXPECT_LE(unindexed(), 20'000 + 512);  // a batch more
  host.release_writer("sync_api");
  for (const RoomId& room : {made.front(), made.back()}) {
    const Json joined = sync(alice)["rooms"]["join"][room.view()];
    EXPECT_EQ(pieces({joined["state"]["events"], joined["timeline"]["events"]}).size(), 1'000);
  }
}

}  // namespace
}  // namespace backplane::sync_api
