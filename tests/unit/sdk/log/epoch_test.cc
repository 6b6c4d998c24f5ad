#include "backplane/log/epoch.h"

#include <gtest/gtest.h>

#include "backplane/base/clock.h"
#include "backplane/base/random.h"

namespace backplane::log {
namespace {

TEST(Epoch, is_unlike_any_other_and_says_when_it_began) {
  const std::string one = new_epoch(system_clock(), system_random());
  EXPECT_NE(one, new_epoch(system_clock(), system_random()));
  EXPECT_EQ(began_later(one, "1000.abcdef01"), true);
  EXPECT_EQ(began_later("1000.abcdef01", one), false);
}

TEST(Epoch, does_not_tell_what_it_does_not_say) {
  EXPECT_EQ(began_later("1000.a", "1000.b"), std::nullopt);
  for (const char* text : {"", "deadbeef", "12345678", ".1", "12x.a", "volatile", "99999999999999999999.a"}) {
    EXPECT_EQ(began_later(text, "1000.a"), std::nullopt) << text;
    EXPECT_EQ(began_later("1000.a", text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace backplane::log
