// The help of the program and of each command, and the config that it generates.
#include "golden/golden.h"
#include "host/config/sample.h"
#include "host/runtime/move_databases.h"
#include "support/fake_engine.h"
#include "support/temporary_folder.h"

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

TEST(CliGolden, faults_of_migrate_database) {
  testing_support::TemporaryFolder folder;
  const auto named = [&](const std::string& name, const std::string& more) {
    return folder.write(name, "server_name: example.org\n" + more);
  };
  const std::string sqlite = named("sqlite.yaml", "");
  const std::string postgresql =
      named("postgresql.yaml", "storage: {engine: postgresql, connection: dbname=backplane}\n");
  const std::string other = folder.write("other.yaml", "server_name: example.com\n");
  CommandRunner runner;
  std::string all;
  const auto run = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words{"migrate-database", "--config"};
    words.insert(words.end(), more.begin(), more.end());
    EXPECT_NE(runner.run(words), exit_ok);
    all += runner.err + "\n";
  };
  run({postgresql});
  run({postgresql, "--from-data", "/data", "--from", sqlite});
  run({sqlite, "--from-data", "/data"});
  run({postgresql, "--from", postgresql});
  run({postgresql, "--from", other});
  run({postgresql, "--from", folder.path() + "/none.yaml"});
  for (const std::string reason : {"storage", "disk_full", "store_in_use", "target_not_empty", "source_changed",
                                   "database_newer", "rows_differ", "cannot_move"})
    all += format_fault(fault_of_move(conflict(reason, "room_server: what has happened (" + reason + ")"), "/data")) +
           "\n";
  EXPECT_TRUE(runner.engine.moves.empty());
  expect_golden("migrate_database.txt", testing_support::replaced(all, folder.path(), "/etc/backplane"));
}

TEST(CliGolden, sample_of_a_plugins_config) {
  const auto manifest = plugin::parse_manifest(sample_manifest);
  ASSERT_TRUE(manifest) << manifest.error().text;
  expect_golden("sample_plugin.txt", sample_plugin_config(*manifest));
}

}  // namespace
}  // namespace backplane::host
