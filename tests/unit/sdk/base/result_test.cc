#include "backplane/base/result.h"

#include <gtest/gtest.h>

namespace backplane {
namespace {

TEST(Result, names_of_codes_return_to_their_codes) {
  for (int i = 0; i < 8; ++i) {
    const auto code = static_cast<ErrorCode>(i);
    EXPECT_EQ(error_code_from(to_string(code)), code);
  }
  EXPECT_EQ(error_code_from("no such name"), ErrorCode::internal);
}

TEST(Result, an_error_carries_further_members_as_json) {
  const Error error = invalid("bad_version", "no").with("room_version", "1\"0").with_json("soft_logout", "true");
  ASSERT_EQ(error.fields.size(), 2u);
  EXPECT_EQ(error.fields[0].json, R"("1\"0")");
  EXPECT_EQ(error.fields[1].json, "true");
}

Result<int> half(int value) {
  if (value % 2 != 0) return invalid("odd", "odd");
  return value / 2;
}
Result<int> quarter(int value) {
  BACKPLANE_TRY(once, half(value));
  BACKPLANE_CHECK(half(once));
  return half(once);
}

TEST(Result, errors_return_from_the_enclosing_function) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().reason, "odd");
  EXPECT_EQ(quarter(3).error().reason, "odd");
}

}  // namespace
}  // namespace backplane
