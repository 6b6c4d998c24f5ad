#include "backplane/matrix/history_visibility.h"

#include <gtest/gtest.h>

#include "backplane/base/fields.h"

namespace backplane::matrix {
namespace {

using enum HistoryVisibility;
constexpr Membership all[] = {Membership::join, Membership::invite, Membership::leave, Membership::ban,
                              Membership::knock};

// Spec: Client-Server API, "Room History Visibility", Server behaviour.
TEST(HistoryVisibility, rules_1_to_5) {
  for (const auto membership : all) {
    for (const bool joined_later : {false, true}) {
      const bool joined = membership == Membership::join;
      EXPECT_TRUE(may_see_event(world_readable, membership, joined_later));
      EXPECT_EQ(may_see_event(shared, membership, joined_later), joined || joined_later);
      EXPECT_EQ(may_see_event(invited, membership, joined_later), joined || membership == Membership::invite);
      EXPECT_EQ(may_see_event(HistoryVisibility::joined, membership, joined_later), joined);
    }
  }
}

TEST(HistoryVisibility, events_that_change_the_inputs_are_seen_before_or_after) {
  const auto leave = Membership::leave;
  const auto join = Membership::join;
  EXPECT_TRUE(may_see_event({world_readable, leave}, {joined, leave}, false));
  EXPECT_TRUE(may_see_event({joined, leave}, {world_readable, leave}, false));
  EXPECT_TRUE(may_see_event({joined, join}, {joined, leave}, false));
  EXPECT_TRUE(may_see_event({joined, leave}, {joined, join}, false));
  EXPECT_FALSE(may_see_event({joined, leave}, {joined, Membership::ban}, false));
}

TEST(HistoryVisibility, is_shared_when_it_is_not_understood) {
  EXPECT_EQ(history_visibility_in("{}"), shared);
  EXPECT_EQ(history_visibility_in(R"({"history_visibility":5})"), shared);
  EXPECT_EQ(history_visibility_in(R"({"history_visibility":"nonsense"})"), shared);
  EXPECT_EQ(history_visibility_in(R"({"history_visibility":"world_readable"})"), world_readable);
  EXPECT_EQ(history_visibility_in(R"({"history_visibility":"invited"})"), invited);
}

TEST(Membership, words) {
  for (const auto membership : all) EXPECT_EQ(membership_from(to_string(membership)), membership);
  EXPECT_EQ(membership_from("joined"), std::nullopt);
  EXPECT_EQ(membership_in(R"({"membership":"ban"})"), Membership::ban);
  EXPECT_EQ(membership_in("{}"), std::nullopt);
  EXPECT_EQ(join_rule_in(R"({"join_rule":"knock_restricted"})"), JoinRule::knock_restricted);
  EXPECT_EQ(join_rule_in(R"({"join_rule":"x"})"), JoinRule::private_);
  EXPECT_EQ(join_rule_in("{}"), JoinRule::invite);
  for (const auto membership : all) EXPECT_EQ(enum_name(membership), to_string(membership));
  for (int i = 0; i < 6; ++i) EXPECT_EQ(enum_name(static_cast<JoinRule>(i)), to_string(static_cast<JoinRule>(i)));
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(enum_name(static_cast<HistoryVisibility>(i)), to_string(static_cast<HistoryVisibility>(i)));
  }
}

}  // namespace
}  // namespace backplane::matrix
