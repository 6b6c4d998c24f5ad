#include "backplane/plugin/option_text.h"

#include <gtest/gtest.h>

namespace backplane::plugin {
namespace {

using namespace std::chrono_literals;

OptionSpec option(OptionType type) {
  OptionSpec out;
  out.name = "some_option";
  out.type = type;
  return out;
}

TEST(OptionText, durations_have_a_unit) {
  EXPECT_EQ(parse_duration("250ms"), Duration(250ms));
  EXPECT_EQ(parse_duration("30s"), Duration(30s));
  EXPECT_EQ(parse_duration("5 m"), Duration(5min));
  EXPECT_EQ(parse_duration("7d"), Duration(168h));
  EXPECT_EQ(parse_duration("0"), Duration::zero());
  for (const char* wrong : {"", "s", "30", "-1s", "1.5s", "30 seconds", "30s ", "200000d", "99999999999999999999s"})
    EXPECT_EQ(parse_duration(wrong), std::nullopt) << wrong;
}

TEST(OptionText, bytes_may_have_a_unit) {
  EXPECT_EQ(parse_bytes("4096"), 4096);
  EXPECT_EQ(parse_bytes("64KiB"), 65536);
  EXPECT_EQ(parse_bytes("10MB"), 10'000'000);
  EXPECT_EQ(parse_bytes("2 GiB"), std::int64_t{2} << 30);
  for (const char* wrong : {"", "KiB", "64 kib", "-1", "9999999999GiB", "1e3"})
    EXPECT_EQ(parse_bytes(wrong), std::nullopt) << wrong;
}

TEST(OptionText, what_is_formatted_reads_back) {
  for (const char* text : {"0", "250ms", "90s", "2m", "7d", "1ns"})
    EXPECT_EQ(format_duration(*parse_duration(text)), text);
  for (const char* text : {"0", "1000", "64KiB", "32MiB", "3GiB"}) EXPECT_EQ(format_bytes(*parse_bytes(text)), text);
  EXPECT_EQ(format_duration(120s), "2m");
}

TEST(OptionText, values_are_checked_against_type_and_range) {
  OptionSpec workers = option(OptionType::integer);
  workers.minimum = 1;
  workers.maximum = 100;
  EXPECT_EQ(std::get<std::int64_t>(*parse_value(workers, "64")), 64);
  EXPECT_EQ(parse_value(workers, "101").error().text, "expected a whole number from 1 to 100, found '101'");
  EXPECT_EQ(parse_value(workers, "many").error().text, "expected a whole number from 1 to 100, found 'many'");

  OptionSpec version = option(OptionType::enumeration);
  version.choices = {"10", "11", "12"};
  EXPECT_EQ(std::get<std::string>(*parse_value(version, "11")), "11");
  EXPECT_EQ(parse_value(version, "9").error().text, "expected one of 10, 11, 12, found '9'");

  EXPECT_EQ(parse_value(option(OptionType::boolean), "yes").error().text, "expected true or false, found 'yes'");
  EXPECT_FALSE(parse_value(option(OptionType::url), "example.org"));
  EXPECT_TRUE(parse_value(option(OptionType::url), "https://example.org/x"));
}

TEST(OptionText, a_default_duration_keeps_its_bounds) {
  OptionSpec wait = option(OptionType::duration);
  wait.minimum = std::chrono::nanoseconds(1s).count();
  EXPECT_EQ(describe(wait), "a duration, at least 1s");
  EXPECT_FALSE(parse_value(wait, "10ms"));
}

TEST(Options, a_name_or_type_that_the_manifest_lacks_is_a_fault_of_the_plugin) {
  const Options options({{"wait", OptionValue(std::int64_t{5})}});
  EXPECT_EQ(options.duration("wait"), 5ns);
  EXPECT_THROW((void)options.text("wait"), std::logic_error);
  EXPECT_THROW((void)options.integer("other"), std::logic_error);
}

}  // namespace
}  // namespace backplane::plugin
