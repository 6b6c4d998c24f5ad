#include "state/auth_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace backplane::room_server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

using Ordinals = std::vector<std::uint32_t>;

TEST(AuthIndexTest, auth_events_are_stored_in_few_bytes) {
  const Ordinals near{0x80000001, 0x80000002, 0x7fffff00};
  const std::string bytes = encode_auth_events(0x80000010, near);
  EXPECT_LE(bytes.size(), 4U);
  EXPECT_EQ(*decode_auth_events(0x80000010, bytes), near);
  const Ordinals far{0, 0xffffffff};
  EXPECT_EQ(*decode_auth_events(0x80000010, encode_auth_events(0x80000010, far)), far);
  EXPECT_THAT(*decode_auth_events(1, ""), IsEmpty());
}

TEST(AuthIndexTest, damaged_bytes_are_told) {
  EXPECT_FALSE(decode_auth_events(5, "\x80"));
  EXPECT_FALSE(decode_auth_events(5, std::string("\x0e")));  // 5 - 7
}

/// 1 ← 2 ← 3, 1 ← 4: who cites whom.
AuthIndex some_index() {
  AuthIndex index;
  index.add(3, 30, Ordinals{2});  // before what it cites is known
  index.add(1, 10, Ordinals{});
  index.add(2, 20, Ordinals{1});
  index.add(4, 40, Ordinals{1});
  index.add(4, 40, Ordinals{1});  // a second time
  return index;
}

TEST(AuthIndexTest, knows_who_cites_an_event_by_any_way) {
  const AuthIndex index = some_index();
  const auto only = [](std::uint32_t wanted) {
    return [wanted](std::uint32_t ordinal, StateNumber number) { return ordinal == wanted && number == wanted * 10; };
  };
  EXPECT_TRUE(index.is_cited(1, only(3)));
  EXPECT_TRUE(index.is_cited(2, only(3)));
  EXPECT_FALSE(index.is_cited(2, only(4)));
  EXPECT_FALSE(index.is_cited(3, only(3))) << "none cites itself";
  EXPECT_FALSE(index.is_cited(99, only(3)));
}

TEST(AuthIndexTest, answers_auth_events_and_chains) {
  const AuthIndex index = some_index();
  EXPECT_THAT(index.auth_events(3), ElementsAre(StateEntry{20, 2}));
  EXPECT_THAT(index.auth_events(99), IsEmpty());
  EXPECT_THAT(index.auth_chain(StateDelta{{30, 3}}), UnorderedElementsAre(StateEntry{20, 2}, StateEntry{10, 1}));
  EXPECT_THAT(index.auth_chain(StateDelta{{30, 3}, {20, 2}}), ElementsAre(StateEntry{10, 1}));
  EXPECT_THAT(index.auth_chain(StateDelta{{10, 1}, {1, 99}}), IsEmpty());
}

}  // namespace
}  // namespace backplane::room_server
