// The help of the program and of each command, and the config that it generates.
#include "golden/golden.h"
#include "host/config/sample.h"
#include "support/fake_engine.h"

namespace backplane::host {
namespace {

using testing_support::expect_golden;

TEST(CliGolden, help) {
  CommandRunner runner;
  EXPECT_EQ(runner.run({"help"}), exit_ok);
  std::string all = runner.out;
  for (const CommandInfo& command : command_table()) all += "\n---\n" + command_help(command);
  expect_golden("help.txt", all);
}

TEST(CliGolden, sample_of_a_plugins_config) {
  const auto manifest = plugin::parse_manifest(sample_manifest);
  ASSERT_TRUE(manifest) << manifest.error().text;
  expect_golden("sample_plugin.txt", sample_plugin_config(*manifest));
}

}  // namespace
}  // namespace backplane::host
