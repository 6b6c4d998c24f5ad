#include "backplane/matrix/room_version.h"

#include <gtest/gtest.h>

namespace backplane::matrix {
namespace {

TEST(RoomVersion, those_of_the_specification_are_known) {
  for (int i = 1; i <= 12; ++i) {
    const auto* version = find_room_version(std::to_string(i));
    ASSERT_NE(version, nullptr) << i;
    EXPECT_EQ(room_versions()[static_cast<std::size_t>(i) - 1].id, version->id);
  }
  EXPECT_EQ(find_room_version("13"), nullptr);
  EXPECT_EQ(find_room_version(""), nullptr);
  EXPECT_EQ(find_room_version("010"), nullptr);
  EXPECT_EQ(room_versions().size(), 12u);
}

TEST(RoomVersion, changes_come_with_their_version) {
  const auto& v = [](int i) -> const RoomVersion& { return *find_room_version(std::to_string(i)); };
  for (int i = 1; i <= 12; ++i) {
    EXPECT_EQ(v(i).state_resolution, i == 1   ? StateResolution::v1
                                     : i < 12 ? StateResolution::v2
                                              : StateResolution::v2_1);
    EXPECT_EQ(v(i).event_format, i <= 2   ? EventFormat::event_id_in_event
                                 : i == 3 ? EventFormat::reference_hash
                                          : EventFormat::url_safe_reference_hash);
    EXPECT_EQ(v(i).auth_of_redactions, i <= 2);
    EXPECT_EQ(v(i).enforce_key_validity, i >= 5);
    EXPECT_EQ(v(i).strict_canonical_json, i >= 6);
    EXPECT_EQ(v(i).auth_of_aliases, i <= 5);
    EXPECT_EQ(v(i).auth_of_notification_levels, i >= 6);
    EXPECT_EQ(v(i).knock, i >= 7);
    EXPECT_EQ(v(i).restricted_join, i >= 8);
    EXPECT_EQ(v(i).redaction_keeps_authorising_user, i >= 9);
    EXPECT_EQ(v(i).knock_restricted_join, i >= 10);
    EXPECT_EQ(v(i).integer_power_levels, i >= 10);
    EXPECT_EQ(v(i).creator_is_sender, i >= 11);
    EXPECT_EQ(v(i).redacts_in_content, i >= 11);
    EXPECT_EQ(v(i).privileged_creators, i >= 12);
    EXPECT_EQ(v(i).create_event_is_implied, i >= 12);
  }
}

}  // namespace
}  // namespace backplane::matrix
