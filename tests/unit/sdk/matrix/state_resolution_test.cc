// What state resolution comes to in rooms that are made by hand: the cases that it is known for.
#include "backplane/matrix/state_resolution.h"

#include <gtest/gtest.h>

#include "literal_resolution.h"
#include "room_graph.h"
#include "test_events.h"

namespace backplane::matrix {
namespace {

const std::string creator = "@creator:a", alice = "@alice:b", bob = "@bob:c", eve = "@eve:d";

/// A room of which everybody is a member, in one line of events; `tip` is the last.
class Room : public RoomGraph {
 public:
  explicit Room(const RoomVersion& version, const std::string& join_rule = "public") : RoomGraph(version, 1, creator) {
    tip = create_event();
    member(creator, creator, "join");
    levels(R"({"@alice:b":50})");
    put(creator, "m.room.join_rules", "", R"({"join_rule":"public"})");
    member(alice, alice, "join");
    member(bob, bob, "join");
    if (join_rule != "public") put(creator, "m.room.join_rules", "", R"({"join_rule":")" + join_rule + "\"}");
  }
  /// Adds a state event behind the tip, or behind others that are given.
  EventId put(const std::string& sender, const std::string& type, const std::string& key, const std::string& content,
              std::vector<EventId> prev_events = {}) {
    const bool at_tip = prev_events.empty();
    if (at_tip) prev_events = {tip};
    const EventId id = add({sender, type, key, content, prev_events});
    if (at_tip) tip = id;
    return id;
  }
  EventId member(const std::string& sender, const std::string& target, const std::string& membership,
                 std::vector<EventId> prev_events = {}) {
    return put(sender, "m.room.member", target, R"({"membership":")" + membership + "\"}", std::move(prev_events));
  }
  /// From room version 12 on creators are not named.
  EventId levels(const std::string& users, const std::string& sender = creator, std::vector<EventId> prev_events = {}) {
    std::string named = users;
    if (!version().privileged_creators) {
      named = "{\"@creator:a\":100" + (users == "{}" ? "}" : "," + users.substr(1));
    }
    return put(sender, "m.room.power_levels", "", R"({"users":)" + named + "}", std::move(prev_events));
  }
  EventId topic(const std::string& sender, const std::string& text, std::vector<EventId> prev_events = {}) {
    return put(sender, "m.room.topic", "", R"({"topic":")" + text + "\"}", std::move(prev_events));
  }
  StateMap resolve_maps(const std::vector<StateMap>& states) {
    const StateMap out = resolve_state(version(), states, *this).value();
    EXPECT_EQ(out, resolve_literally(version(), states, *this));
    return out;
  }

  EventId tip;
};

class StateResolutionCases : public testing::TestWithParam<const char*> {
 protected:
  const RoomVersion& v = version(GetParam());
};
INSTANTIATE_TEST_SUITE_P(Versions, StateResolutionCases, testing::Values("1", "2", "6", "10", "11", "12"));

TEST_P(StateResolutionCases, without_conflict_nothing_is_asked_for) {
  Room room(v);
  const StateMap state = room.state_after(room.tip);
  room.finds = 0;
  EXPECT_EQ(room.resolve({room.tip}), state);
  EXPECT_EQ(room.resolve({room.tip, room.tip, room.tip}), state);
  EXPECT_EQ(room.resolve({}), StateMap());
  EXPECT_EQ(room.finds, 0u);
}

TEST_P(StateResolutionCases, an_event_of_a_chain_that_is_not_known_is_named) {
  Room room(v);
  const EventId fork = room.tip;
  const EventId one = room.topic(creator, "one");
  const EventId other = room.topic(alice, "other", {fork});
  class Lacking final : public EventSource {
   public:
    Lacking(RoomGraph& from, EventId lacks) : from_(from), lacks_(std::move(lacks)) {}
    Found find(const EventId& id) override { return id == lacks_ ? Found{} : from_.find(id); }

   private:
    RoomGraph& from_;
    EventId lacks_;
  };
  const auto states = room.states_after({one, other});
  Lacking source(room, one);
  const auto result = resolve_state(v, states, source);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::incomplete);
  EXPECT_EQ(result.error().reason, "missing_event");
  ASSERT_EQ(result.error().fields.size(), 1u);
  EXPECT_EQ(result.error().fields[0].json, json::quoted(one.view()));
}

TEST_P(StateResolutionCases, what_came_on_one_branch_alone_stays) {
  Room room(v);
  const EventId fork = room.tip;
  const EventId topic = room.topic(creator, "x");
  const EventId join = room.member(eve, eve, "join", {fork});
  const StateMap state = room.resolve({topic, join});
  EXPECT_EQ(state.at({"m.room.topic", ""}), topic);
  EXPECT_EQ(state.at({"m.room.member", eve}), join);
}

TEST_P(StateResolutionCases, a_ban_stands_against_what_the_banned_does_on_another_branch) {
  Room room(v);
  const EventId fork = room.tip;
  const EventId levels = room.state_after(fork).at({"m.room.power_levels", ""});
  const EventId ban = room.member(creator, alice, "ban");
  const EventId topic = room.topic(alice, "evaded", {fork});
  const EventId grab = room.levels(R"({"@alice:b":50,"@eve:d":50})", alice, {topic});
  ASSERT_FALSE(room.is_rejected(grab));
  const StateMap state = room.resolve_maps(room.states_after({ban, grab}));
  EXPECT_EQ(state.at({"m.room.member", alice}), ban);
  EXPECT_EQ(state.at({"m.room.power_levels", ""}), levels);
  // In room version 1 what no other state has is not in conflict.
  EXPECT_EQ(state.count({"m.room.topic", ""}), v.state_resolution == StateResolution::v1 ? 1u : 0u);
}

TEST_P(StateResolutionCases, a_ban_with_a_stale_power_level_falls_to_the_demotion) {
  Room room(v);
  const EventId fork = room.tip;
  const EventId demotion = room.levels("{}");
  const EventId ban = room.member(alice, bob, "ban", {fork});
  ASSERT_FALSE(room.is_rejected(ban));
  const StateMap state = room.resolve({demotion, ban});
  EXPECT_EQ(state.at({"m.room.power_levels", ""}), demotion);
  EXPECT_EQ(state.at({"m.room.member", bob}), room.state_after(fork).at({"m.room.member", bob}));
}

// Nothing in the auth events says that the ban came first, and the demotion is by the more powerful: this is how it is.
TEST_P(StateResolutionCases, a_demotion_takes_the_bans_that_are_in_conflict_with_it) {
  Room room(v);
  const EventId fork = room.tip;
  const EventId ban = room.member(alice, bob, "ban");
  const EventId demotion = room.levels("{}");
  const EventId topic = room.topic(alice, "x", {fork});
  const StateMap state = room.resolve_maps(room.states_after({demotion, topic}));
  EXPECT_NE(state.at({"m.room.member", bob}), ban);
  EXPECT_EQ(state.at({"m.room.power_levels", ""}), demotion);
  EXPECT_EQ(state.count({"m.room.topic", ""}), v.state_resolution == StateResolution::v1 ? 1u : 0u);
}

TEST_P(StateResolutionCases, a_join_under_a_stale_join_rule_falls) {
  Room room(v);
  const EventId fork = room.tip;
  const EventId closed = room.put(creator, "m.room.join_rules", "", R"({"join_rule":"invite"})");
  const EventId join = room.member(eve, eve, "join", {fork});
  ASSERT_FALSE(room.is_rejected(join));
  const StateMap state = room.resolve({closed, join});
  EXPECT_EQ(state.at({"m.room.join_rules", ""}), closed);
  EXPECT_EQ(state.count({"m.room.member", eve}), v.state_resolution == StateResolution::v1 ? 1u : 0u);
}

TEST_P(StateResolutionCases, a_rejected_event_changes_nothing) {
  Room room(v);
  const EventId before = room.tip;
  const EventId grab = room.levels(R"({"@bob:c":100})", bob);
  ASSERT_TRUE(room.is_rejected(grab));
  EXPECT_EQ(room.state_after(grab), room.state_after(before));
  const EventId topic = room.topic(creator, "x", {before});
  EXPECT_EQ(room.resolve({grab, topic}), room.state_after(topic));
  EXPECT_EQ(room.resolve({topic, grab}), room.state_after(topic));
}

TEST_P(StateResolutionCases, a_rejected_auth_event_is_no_ground) {
  if (v.state_resolution == StateResolution::v1) return;  // has no use for auth events
  Room room(v, "invite");
  const StateMap without = room.state_after(room.tip);
  const EventId join = room.member(eve, eve, "join", {room.tip});
  ASSERT_TRUE(room.is_rejected(join));
  std::vector<EventId> auth_events{without.at({"m.room.power_levels", ""}), join};
  if (!v.create_event_is_implied) auth_events.push_back(room.create_event());
  const EventId name = room.add({eve, "m.room.name", eve, "{}", {room.tip}, 0, auth_events});
  StateMap with = without;
  with[{"m.room.name", eve}] = name;
  EXPECT_EQ(room.resolve_maps({with, without}), without);
}

/// Two states of a room that lost what one of them has, as after an earlier reset.
TEST_P(StateResolutionCases, room_version_12_does_not_judge_old_events_by_later_state) {
  if (v.state_resolution == StateResolution::v1) return;
  Room room(v, "invite");  // bob joined while it was public
  const StateMap with = room.state_after(room.tip);
  StateMap without = with;
  without.erase({"m.room.member", bob});
  const StateMap state = room.resolve_maps({with, without});
  EXPECT_EQ(state.count({"m.room.member", bob}), v.state_resolution == StateResolution::v2_1 ? 1u : 0u);
}

/// MSC4297, the conflicted state subgraph: without the power levels between the old and the new ones, whoever was given
/// a level by them could not have sent the new ones.
TEST_P(StateResolutionCases, room_version_12_replays_what_lies_between_conflicting_events) {
  if (v.state_resolution == StateResolution::v1) return;
  Room room(v);
  const EventId old_levels = room.state_after(room.tip).at({"m.room.power_levels", ""});
  room.levels(R"({"@alice:b":50,"@bob:c":50})");
  room.topic(creator, "both states have this, and the levels before it in its chain");
  const EventId new_levels = room.levels(R"({"@alice:b":50,"@bob:c":50,"@eve:d":25})", bob);
  ASSERT_FALSE(room.is_rejected(new_levels));
  const StateMap now = room.state_after(new_levels);
  StateMap reset = now;
  reset[{"m.room.power_levels", ""}] = old_levels;
  const StateMap state = room.resolve_maps({now, reset});
  EXPECT_EQ(state.at({"m.room.power_levels", ""}),
            v.state_resolution == StateResolution::v2_1 ? new_levels : old_levels);
}

TEST_P(StateResolutionCases, later_power_levels_of_the_mainline_win) {
  Room room(v);
  const EventId fork = room.tip;
  // Alice's clock is far ahead, but what she says rests on older power levels.
  const EventId early = room.add({alice, "m.room.topic", "", R"({"topic":"early"})", {fork}, 9'000'000'000});
  room.levels(R"({"@alice:b":50,"@bob:c":50})");
  const EventId late = room.topic(bob, "late");
  const StateMap state = room.resolve({early, late});
  EXPECT_EQ(state.at({"m.room.topic", ""}), late);
}

TEST_P(StateResolutionCases, each_event_is_asked_for_a_few_times_at_most) {
  Room room(v);
  for (int i = 0; i < 100; ++i)
    room.member("@user" + std::to_string(i) + ":e", "@user" + std::to_string(i) + ":e", "join");
  const EventId fork = room.tip;
  std::vector<EventId> tips;
  for (const char* topic : {"1", "2", "3", "4", "5"}) tips.push_back(room.topic(creator, topic, {fork}));
  room.finds = 0;
  room.resolve(tips);
  EXPECT_LE(room.finds, 2 * room.events().size());
}

}  // namespace
}  // namespace backplane::matrix
