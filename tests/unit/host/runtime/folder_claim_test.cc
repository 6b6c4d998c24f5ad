#include "host/runtime/folder_claim.h"

#include <gtest/gtest.h>

#include <optional>

#include "support/temporary_folder.h"

namespace backplane::host {
namespace {

TEST(FolderClaimTest, IsOnesAlone) {
  const testing_support::TemporaryFolder folder, other;
  std::optional<FolderClaim> first;
  {
    auto taken = FolderClaim::take(folder.path());
    ASSERT_TRUE(taken);
    first.emplace(std::move(*taken));  // moving keeps it
  }
  const auto refused = FolderClaim::take(folder.path());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_EQ(refused.error().reason, "in_use");
  EXPECT_TRUE(FolderClaim::take(other.path()));
  first.reset();
  EXPECT_TRUE(FolderClaim::take(folder.path()));
}

TEST(FolderClaimTest, NeedsAFolder) {
  const testing_support::TemporaryFolder folder;
  EXPECT_EQ(FolderClaim::take(folder.path() + "/not there").error().code, ErrorCode::unavailable);
  EXPECT_EQ(FolderClaim::take(folder.write("file", "")).error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace backplane::host
