#include "user_fixture.h"

namespace backplane::user_api {
namespace {

struct ProfilesTest : UserFixture {
  ProfilesTest() {
    start();
    (void)sign_up("alice");
  }
  Result<api::SetProfileFieldResponse> set(std::string field, std::string json) {
    return users->set_profile_field({}, {alice, std::move(field), {std::move(json)}});
  }
  api::GetProfileResponse profile() { return *users->get_profile({}, {alice}); }
};

TEST_F(ProfilesTest, BeginWithTheLocalpart) {
  EXPECT_EQ(profile().displayname, "alice");
  EXPECT_FALSE(profile().avatar_url);
  EXPECT_EQ(outcome(users->get_profile({}, {UserId("@nobody:test.example")})), "not_found/");
  EXPECT_EQ(outcome(users->get_profile({}, {UserId("@alice:other.example")})), "not_found/");
}

TEST_F(ProfilesTest, VersionsGrowWithEveryChangeAndOnlyThen) {
  std::int64_t version = profile().version;
  const auto expect_change = [&](std::string field, std::string json) {
    const auto set_now = set(field, json);
    ASSERT_EQ(outcome(set_now), "ok") << field;
    EXPECT_TRUE(set_now->changed) << field;
    EXPECT_GT(set_now->version, version) << field;
    version = set_now->version;
    const auto again = set(field, json);
    ASSERT_EQ(outcome(again), "ok");
    EXPECT_FALSE(again->changed) << field;
    EXPECT_EQ(again->version, version) << field;
    EXPECT_EQ(profile().version, version);
  };
  expect_change("displayname", R"("Alice \"A\" \u00e9")");
  EXPECT_EQ(profile().displayname, "Alice \"A\" é");
  expect_change("displayname", R"("")");
  expect_change("displayname", "");
  EXPECT_FALSE(profile().displayname);
  expect_change("avatar_url", R"("mxc://x/y")");
  expect_change("m.tz", R"("Europe/Rome")");
  expect_change("org.example", R"({"a":[1]})");
  EXPECT_EQ(profile().other.at("org.example").text, R"({"a":[1]})");
  expect_change("org.example", "null");
  expect_change("org.example", "");
  EXPECT_FALSE(profile().other.contains("org.example"));
  EXPECT_FALSE(set("never.there", "")->changed);
  restart();
  EXPECT_EQ(profile().version, version);
  EXPECT_EQ(profile().other.at("m.tz").text, R"("Europe/Rome")");
}

TEST_F(ProfilesTest, TextFieldsAreStrings) {
  for (const char* field : {"displayname", "avatar_url"}) {
    EXPECT_EQ(outcome(set(field, "5")), "invalid/bad_json");
    EXPECT_EQ(outcome(set(field, R"({"a":1})")), "invalid/bad_json");
  }
  EXPECT_EQ(profile().displayname, "alice") << "and nothing was removed";
}

TEST_F(ProfilesTest, HaveLimits) {
  EXPECT_EQ(outcome(set("", "1")), "invalid/key_too_large");
  EXPECT_EQ(outcome(set(std::string(256, 'k'), "1")), "invalid/key_too_large");
  EXPECT_EQ(outcome(set(std::string(255, 'k'), "1")), "ok");
  const auto text = [](std::size_t size) { return "\"" + std::string(size, 'x') + "\""; };
  EXPECT_EQ(outcome(set("big", text(66'000))), "invalid/profile_too_large");
  EXPECT_EQ(outcome(set("big", text(60'000))), "ok");
  EXPECT_EQ(outcome(set("more", text(6'000))), "invalid/profile_too_large");
  EXPECT_EQ(outcome(set("big", text(50'000))), "ok") << "what it replaces does not count";
  EXPECT_EQ(outcome(set("more", text(6'000))), "ok");
}

TEST_F(ProfilesTest, NobodyHasNone) {
  EXPECT_EQ(outcome(users->set_profile_field({}, {UserId("@nobody:test.example"), "displayname", {"\"x\""}})),
            "not_found/");
}

}  // namespace
}  // namespace backplane::user_api
