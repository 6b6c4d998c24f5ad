#include <gtest/gtest.h>

#include <thread>

#include "backplane/base/clock.h"
#include "backplane/base/fields.h"
#include "backplane/base/gate.h"
#include "backplane/base/logger.h"
#include "backplane/base/random.h"

namespace backplane {
namespace {

using namespace std::chrono_literals;

TEST(Gate, closing_refuses_entries_and_waits_for_those_inside) {
  Gate gate;
  auto entry = gate.enter();
  EXPECT_TRUE(entry);
  EXPECT_EQ(gate.inside(), 1u);
  EXPECT_FALSE(gate.close_and_wait(system_clock(), system_clock().now() + 5ms));
  EXPECT_FALSE(gate.enter());
  std::thread leaver([&] { const auto last = std::move(entry); });
  EXPECT_TRUE(gate.close_and_wait(system_clock(), system_clock().now() + 10s));
  leaver.join();
  EXPECT_EQ(gate.inside(), 0u);
}

TEST(Random, numbers_stay_below_their_bound_and_text_in_its_alphabet) {
  Random& random = system_random();
  for (int i = 0; i < 1000; ++i) EXPECT_LT(random.below(3), 3u);
  EXPECT_EQ(random.below(1), 0u);
  const std::string text = random.text(1000, "abc");
  EXPECT_EQ(text.size(), 1000u);
  EXPECT_EQ(text.find_first_not_of("abc"), std::string::npos);
  EXPECT_NE(text.find('c'), std::string::npos);
  EXPECT_NE(random.text(20), random.text(20));
}

TEST(Clock, moves_on) {
  EXPECT_GT(system_clock().wall_ms(), 1'600'000'000'000);
  const auto before = system_clock().now();
  EXPECT_LE(before, system_clock().now());
}

TEST(LogLevel, has_names) { EXPECT_EQ(to_string(LogLevel::warning), "warning"); }

struct Sample {
  std::uint64_t large = 0;
  std::int32_t small = 0;
  std::string text;
  std::vector<std::optional<bool>> flags;
  json::Raw raw;
};
BACKPLANE_FIELDS(Sample, large, small, text, flags, raw);

TEST(Fields, a_value_returns_from_its_json) {
  const Sample sample{18446744073709551615u, -5, "x\"", {true, std::nullopt}, {R"({"a":1})"}};
  const std::string json = to_json(sample);
  EXPECT_EQ(json, R"({"large":18446744073709551615,"small":-5,"text":"x\"","flags":[true,null],"raw":{"a":1}})");
  const auto back = from_json<Sample>(json);
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(to_json(*back), json);
  EXPECT_FALSE(from_json<Sample>(R"({"small":3000000000})"));
}

}  // namespace
}  // namespace backplane
