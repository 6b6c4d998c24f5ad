#include "visibility.h"

#include <gtest/gtest.h>

namespace backplane::sync_api {
namespace {

using matrix::HistoryVisibility;
using matrix::Membership;

/// Invited at 10, joined at 20, left at 30, back at 40, banned at 50.
MembershipHistory story() {
  MembershipHistory history;
  history.add(40, Membership::join);
  history.add(10, Membership::invite);
  history.add(30, Membership::leave);
  history.add(20, Membership::join);
  history.add(50, Membership::ban);
  return history;
}

TEST(Visibility, Table) {
  const auto history = story();
  struct Row {
    Sequence at;
    bool world_readable, shared, invited, joined;
  };
  for (const Row& row : {
           Row{5, true, true, false, false},    // before the invite
           Row{10, true, true, true, false},    // the invite
           Row{15, true, true, true, false},    // invited
           Row{20, true, true, true, true},     // the join
           Row{25, true, true, true, true},     // there
           Row{30, true, true, true, true},     // the leaving
           Row{35, true, true, false, false},   // away, but back later
           Row{45, true, true, true, true},     // there again
           Row{50, true, true, true, true},     // the ban
           Row{55, true, false, false, false},  // out
       }) {
    EXPECT_EQ(history.may_see(row.at, HistoryVisibility::world_readable), row.world_readable) << row.at;
    EXPECT_EQ(history.may_see(row.at, HistoryVisibility::shared), row.shared) << row.at;
    EXPECT_EQ(history.may_see(row.at, HistoryVisibility::invited), row.invited) << row.at;
    EXPECT_EQ(history.may_see(row.at, HistoryVisibility::joined), row.joined) << row.at;
  }
}

TEST(Visibility, WhatHappenedSometimeIsSeenIfItWouldBeAtAnyTime) {
  const auto history = story();
  struct Row {
    Sequence earliest, latest;
    bool world_readable, shared, invited, joined;
  };
  for (const Row& row : {
           Row{0, 5, true, true, false, false},     // before the invite
           Row{0, 10, true, true, false, false},    // perhaps before it
           Row{10, 19, true, true, true, false},    // invited
           Row{15, 20, true, true, true, false},    // perhaps there
           Row{20, 29, true, true, true, true},     // there
           Row{25, 30, true, true, false, false},   // perhaps away
           Row{30, 39, true, true, false, false},   // away, but back later
           Row{40, 49, true, true, true, true},     // there again
           Row{40, 50, true, false, false, false},  // perhaps out
           Row{50, 99, true, false, false, false},  // out
       }) {
    const auto may_see = [&](HistoryVisibility visibility) {
      return history.may_see_between(row.earliest, row.latest, visibility);
    };
    EXPECT_EQ(may_see(HistoryVisibility::world_readable), row.world_readable) << row.earliest;
    EXPECT_EQ(may_see(HistoryVisibility::shared), row.shared) << row.earliest;
    EXPECT_EQ(may_see(HistoryVisibility::invited), row.invited) << row.earliest;
    EXPECT_EQ(may_see(HistoryVisibility::joined), row.joined) << row.earliest;
  }
}

TEST(Visibility, AStrangerSeesWhatIsReadableByTheWorld) {
  const MembershipHistory nobody;
  EXPECT_TRUE(nobody.may_see(5, HistoryVisibility::world_readable));
  EXPECT_FALSE(nobody.may_see(5, HistoryVisibility::shared));
  EXPECT_FALSE(nobody.ever_joined());
}

TEST(Visibility, TheEndIsWhereTheLastStayEnded) {
  EXPECT_EQ(story().end(), 50U);
  auto history = story();
  history.add(60, Membership::leave);  // unbanned: still out since 50
  EXPECT_EQ(history.end(), 50U);
  history.add(70, Membership::join);
  EXPECT_EQ(history.end(), no_bound);
}

}  // namespace
}  // namespace backplane::sync_api
