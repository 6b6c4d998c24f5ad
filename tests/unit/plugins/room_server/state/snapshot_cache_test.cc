#include "state/snapshot_cache.h"

#include <gtest/gtest.h>

namespace backplane::room_server {
namespace {

TEST(SnapshotCacheTest, knows_a_snapshot_and_its_bases) {
  const auto first = StateSnapshot::make(1, nullptr, {{1, 10}});
  const auto second = StateSnapshot::make(2, first, {{2, 20}});
  const auto third = StateSnapshot::make(3, second, {{3, 30}});
  SnapshotCache cache;
  cache.add(nullptr);
  EXPECT_EQ(cache.memory_bytes(), 0U);
  cache.add(third);
  EXPECT_EQ(cache.find(3), third);
  EXPECT_EQ(cache.find(2), second) << "its base";
  EXPECT_EQ(cache.find(1), nullptr) << "none of its bases";
  const std::size_t bytes = cache.memory_bytes();
  EXPECT_GE(bytes, third->memory_bytes() + second->memory_bytes());
  cache.add(third);
  EXPECT_EQ(cache.memory_bytes(), bytes);
  EXPECT_FALSE(cache.is_full());
  cache.clear();
  EXPECT_EQ(cache.find(3), nullptr);
  EXPECT_EQ(cache.memory_bytes(), 0U);
}

}  // namespace
}  // namespace backplane::room_server
