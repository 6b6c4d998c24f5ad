// The events that let an event be.
#include "far_fixture.h"

#include <set>

namespace backplane::room_server {
namespace {

struct AuthChainTest : FarFixture, ::testing::WithParamInterface<const char*> {
  AuthChainTest() { begin(GetParam()); }

  std::set<EventId> chain(std::vector<EventId> event_ids) {
    const auto found = rooms->get_auth_chain({}, {room, std::move(event_ids)});
    EXPECT_EQ(outcome(found), "ok");
    std::set<EventId> ids;
    if (!found) return ids;
    for (const auto& event : found->events) {
      EXPECT_TRUE(ids.insert(event.event_id).second) << "twice";
      EXPECT_FALSE(json::find_raw(event.event.text, "unsigned"));
      const auto received = matrix::Event::parse_untrusted(event.event.text, *room_version);
      EXPECT_EQ(outcome(received), "ok");
      EXPECT_EQ(received->event_id(), event.event_id);
    }
    return ids;
  }
  /// The same by the definition.
  std::set<EventId> expected_chain(std::vector<EventId> left) {
    std::set<EventId> ids;
    while (!left.empty()) {
      const matrix::Event event = event_of(left.back());
      left.pop_back();
      std::vector<EventId> cited = event.auth_events();
      if (room_version->create_event_is_implied && !event.is_state("m.room.create", ""))
        cited.push_back(matrix::create_event_id_of(room));
      for (const EventId& event_id : cited)
        if (ids.insert(event_id).second) left.push_back(event_id);
    }
    return ids;
  }
};

INSTANTIATE_TEST_SUITE_P(Versions, AuthChainTest, told_versions(), version_name);

TEST_P(AuthChainTest, is_all_that_an_event_builds_on) {
  join_from_afar(dave);
  const std::string levels = room_version->privileged_creators ? R"({"users":{"@dave:far.example":50}})"
                                                               : R"({"users":{"@alice:test.example":100,)"
                                                                 R"("@dave:far.example":50}})";
  ASSERT_EQ(outcome(put_state(room, alice, "m.room.power_levels", levels)), "ok");
  const EventId invite = member_from_afar(dave, frank, "invite");
  join_from_afar(frank);
  const EventId message = say_from_afar(frank);
  const EventId create = state_id("m.room.create", "");
  for (const EventId& event_id : {message, invite, state_id("m.room.power_levels", ""), create}) {
    EXPECT_EQ(chain({event_id}), expected_chain({event_id}));
    EXPECT_EQ(chain({event_id}).contains(create), event_id != create);
  }
  EXPECT_TRUE(chain({message}).contains(invite));
  EXPECT_TRUE(chain({message, invite}).contains(invite)) << "who is in another's chain is answered";
  EXPECT_FALSE(chain({message}).contains(message));
  const EventId bob_join = join(room, bob)->event_id;
  EXPECT_EQ(chain({message, bob_join}), expected_chain({message, bob_join}));
  EXPECT_TRUE(chain({}).empty());
  const auto before = chain({message});
  restart();
  EXPECT_EQ(chain({message}), before);
}

TEST_P(AuthChainTest, is_of_events_that_are_here_and_allowed) {
  join_from_afar(dave);
  const auto rejected = far_event(dave, "m.room.topic", "", R"({"topic":"mine"})");
  ASSERT_EQ(receive(rejected), Outcome::rejected);
  const auto ask = [&](const RoomId& of, std::vector<EventId> event_ids) {
    return outcome(rooms->get_auth_chain({}, {of, std::move(event_ids)}));
  };
  EXPECT_EQ(ask(room, {rejected.event_id()}), "not_found/unknown_event");
  EXPECT_EQ(ask(room, {last(), EventId("$none:x")}), "not_found/unknown_event");
  EXPECT_EQ(ask(make_room("public_chat", GetParam()), {last()}), "not_found/unknown_event");
  EXPECT_EQ(ask(RoomId("!none"), {last()}), "not_found/unknown_room");
  EXPECT_EQ(ask(room, std::vector<EventId>(1001, last())), "invalid/too_large");
}

}  // namespace
}  // namespace backplane::room_server
