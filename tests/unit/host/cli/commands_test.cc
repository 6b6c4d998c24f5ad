#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support/fake_engine.h"
#include "support/temporary_folder.h"

namespace backplane::host {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct CommandsTest : ::testing::Test, CommandRunner {
  CommandsTest() {
    engine.add_plugin(sample_manifest);
    config = folder.write("backplane.yaml", "server_name: example.org\n");
  }
  testing_support::TemporaryFolder folder;
  std::string config;
};

TEST_F(CommandsTest, a_wrong_command_line_is_exit_code_2) {
  EXPECT_EQ(run({}), exit_usage);
  EXPECT_THAT(err, StartsWith("Backplane, a Matrix homeserver"));
  EXPECT_EQ(run({"chek-config"}), exit_usage);
  EXPECT_THAT(err, HasSubstr("did you mean 'check-config'?"));
  EXPECT_EQ(run({"plugins", "lst"}), exit_usage);
  EXPECT_THAT(err, HasSubstr("did you mean 'plugins list'?"));
  EXPECT_EQ(run({"plugins"}), exit_usage);
  EXPECT_THAT(err, HasSubstr("write plugins list or plugins enable or plugins disable"));
  EXPECT_EQ(run({"run", "--confg", "x"}), exit_usage);
  EXPECT_THAT(err, HasSubstr("did you mean '--config'?"));
  EXPECT_EQ(run({"run", "--config"}), exit_usage);
  EXPECT_EQ(run({"run", "--daemon=yes"}), exit_usage);
  EXPECT_EQ(run({"plugins", "enable"}), exit_usage);
  EXPECT_EQ(run({"plugins", "list", "more"}), exit_usage);
  EXPECT_EQ(run({"wiring", "--format", "svg"}), exit_usage);
  EXPECT_EQ(run({"run", "--umask", "9"}), exit_usage);
}

TEST_F(CommandsTest, help_is_where_people_look_for_it) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"help"},
                                                {"--help"},
                                                {"-h"},
                                                {"help", "run"},
                                                {"run", "--help"},
                                                {"run", "-h"},
                                                {"--config", "x", "run", "--help"},
                                                {"plugins", "enable", "--help"},
                                                {"help", "plugins", "list"}}) {
    EXPECT_EQ(run(words), exit_ok) << words[0];
    EXPECT_THAT(out, HasSubstr("Usage: backplane ")) << words[0];
    EXPECT_THAT(out, HasSubstr("Exit codes:")) << words[0];
  }
}

TEST_F(CommandsTest, config_may_come_before_the_command) {
  EXPECT_EQ(run({"--config", config, "check-config"}), exit_ok) << err;
  EXPECT_EQ(run({"--config=" + config, "check-config"}), exit_ok) << err;
  EXPECT_EQ(run({"check-config", "--config", config}), exit_ok) << err;
  environment["BACKPLANE_CONFIG"] = config;
  EXPECT_EQ(run({"check-config"}), exit_ok) << err;
  EXPECT_EQ(out, "no faults in " + config + "\n");
}

TEST_F(CommandsTest, check_config_prints_every_fault) {
  folder.write("backplane.yaml", "server_nam: example.org\n");
  engine.check_faults.push_back({"something about a plugin", "", "", "", 0});
  EXPECT_EQ(run({"check-config", "--config", config}), exit_faults);
  EXPECT_THAT(err, HasSubstr("did you mean 'server_name'?"));
  EXPECT_THAT(err, HasSubstr("something about a plugin"));
  EXPECT_THAT(err, HasSubstr("\n3 faults\n"));
}

TEST_F(CommandsTest, plugins_are_switched_in_a_file_of_its_own) {
  EXPECT_EQ(run({"plugins", "disable", "room_server", "--config", config}), exit_ok) << err;
  EXPECT_THAT(folder.read("conf.d/90-plugins.yaml"), HasSubstr("room_server:\n    enabled: false\n"));
  EXPECT_EQ(folder.read("backplane.yaml"), "server_name: example.org\n");
  EXPECT_EQ(run({"plugins", "list", "--config", config}), exit_ok);
  EXPECT_THAT(out, HasSubstr("room_server  0.1.0    beta    no "));
  EXPECT_THAT(out, HasSubstr("disabled at " + folder.path() + "/conf.d/90-plugins.yaml:"));
  EXPECT_EQ(run({"plugins", "enable", "room_server", "--config", config}), exit_ok) << err;
  EXPECT_THAT(folder.read("conf.d/90-plugins.yaml"), HasSubstr("room_server:\n    enabled: true\n"));

  EXPECT_EQ(run({"plugins", "enable", "room_srver", "--config", config}), exit_faults);
  EXPECT_THAT(err, HasSubstr("did you mean 'room_server'?"));
}

TEST_F(CommandsTest, a_switch_that_has_no_effect_is_a_fault) {
  folder.write("conf.d/99-mine.yaml", "plugins: {room_server: {enabled: true}}\n");
  EXPECT_EQ(run({"plugins", "disable", "room_server", "--config", config}), exit_faults);
  EXPECT_THAT(err, HasSubstr("99-mine.yaml:1"));
}

TEST_F(CommandsTest, what_a_person_wrote_is_not_overwritten) {
  folder.write("conf.d/90-plugins.yaml", "io_threads: 3\n");
  EXPECT_EQ(run({"plugins", "disable", "room_server", "--config", config}), exit_faults);
  EXPECT_THAT(err, HasSubstr("more than plugins' switches"));
  EXPECT_EQ(folder.read("conf.d/90-plugins.yaml"), "io_threads: 3\n");
}

TEST_F(CommandsTest, generated_config_is_right_and_kept) {
  const std::string file = folder.path() + "/new/backplane.yaml";
  EXPECT_EQ(run({"generate-config", "--output", file}), exit_usage);
  EXPECT_EQ(run({"generate-config", "--server-name", "example.com", "--output", file}), exit_ok) << err;
  EXPECT_TRUE(folder.has("new/plugins.d/room_server.yaml"));
  const LoadedConfig loaded = load_config(file, {});
  EXPECT_EQ(format_faults(loaded.faults), "");
  EXPECT_EQ(loaded.config.server_name, "example.com");
  EXPECT_EQ(loaded.config.data_dir, folder.path() + "/new/data");
  EXPECT_EQ(run({"generate-config", "--server-name", "other", "--output", file}), exit_faults);
  EXPECT_THAT(err, HasSubstr("--force"));
  EXPECT_EQ(run({"generate-config", "--server-name", "other", "--output", file, "--force"}), exit_ok) << err;
  EXPECT_EQ(load_config(file, {}).config.server_name, "other");
}

TEST_F(CommandsTest, a_generated_key_is_its_owners_alone) {
  EXPECT_EQ(run({"generate-keys", "--config", config}), exit_ok) << err;
  const std::string key = folder.read("data/signing.key");
  EXPECT_THAT(key, ::testing::MatchesRegex("ed25519 a_[A-Za-z0-9]{4} [A-Za-z0-9+/]{43}\n"));
  struct stat status {};
  ASSERT_EQ(::stat((folder.path() + "/data/signing.key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(run({"generate-keys", "--config", config}), exit_faults);
  EXPECT_EQ(folder.read("data/signing.key"), key);
  EXPECT_EQ(run({"generate-keys", "--config", config, "--force"}), exit_ok);
  EXPECT_NE(folder.read("data/signing.key"), key);
}

TEST_F(CommandsTest, a_key_is_made_where_config_has_it) {
  engine.add_plugin(R"({"name": "signer", "version": "1", "sdk_abi": 1, "status": "beta", "exposure": "internal",
    "summary": "s", "options": [{"name": "signing_key_path", "type": "path", "default": "signing.key", "doc": "d"}]})");
  EXPECT_EQ(run({"generate-keys", "--config", config}), exit_ok) << err;
  EXPECT_TRUE(folder.has("data/signing.key"));
  folder.write("plugins.d/signer.yaml", "signing_key_path: keys/common.key\n");
  EXPECT_EQ(run({"generate-keys", "--config", config}), exit_ok) << err;
  EXPECT_TRUE(folder.has("keys/common.key")) << out;
}

TEST_F(CommandsTest, users_are_made_with_a_password_from_stdin) {
  EXPECT_EQ(run({"users", "create", "alice", "--admin", "--password-stdin", "--config", config}, "pa ss\nx"), exit_ok)
      << err;
  ASSERT_EQ(engine.users.size(), 1U);
  EXPECT_EQ(engine.users[0].localpart, "alice");
  EXPECT_EQ(engine.users[0].password, "pa ss");
  EXPECT_TRUE(engine.users[0].admin);
  EXPECT_EQ(out, "made account @alice:example.org, an admin\n");
  EXPECT_EQ(run({"users", "create", "@bob:example.org", "--password-stdin", "--config", config}, "p\n"), exit_ok);
  EXPECT_EQ(engine.users[1].localpart, "bob");
  EXPECT_EQ(run({"users", "create", "@bob:other.org", "--password-stdin", "--config", config}, "p\n"), exit_faults);
  EXPECT_EQ(run({"users", "create", "carol", "--password-stdin", "--config", config}, ""), exit_usage);
  EXPECT_EQ(engine.users.size(), 2U);
}

TEST_F(CommandsTest, databases_are_moved_from_a_folder_or_by_the_old_config) {
  const std::string to = folder.write(
      "new.yaml", "server_name: example.org\nstorage: {engine: postgresql, connection: dbname=backplane}\n");
  EXPECT_EQ(run({"migrate-database", "--config", to, "--from-data", folder.path() + "/x/../data"}), exit_ok) << err;
  EXPECT_EQ(out, "moved\n");
  ASSERT_EQ(engine.moves.size(), 1U);
  EXPECT_EQ(engine.moves[0].from, folder.path() + "/data");
  EXPECT_FALSE(engine.moves[0].start_over);
  // What the environment says is of the new server.
  environment["BACKPLANE__STORAGE__ENGINE"] = "postgresql";
  environment["BACKPLANE__STORAGE__CONNECTION"] = "dbname=backplane";
  const std::string old = folder.write("old.yaml", "server_name: example.org\ndata_dir: elsewhere\n");
  EXPECT_EQ(run({"migrate-database", "--config", config, "--from", old, "--start-over"}), exit_ok) << err;
  ASSERT_EQ(engine.moves.size(), 2U);
  EXPECT_EQ(engine.moves[1].from, folder.path() + "/elsewhere");
  EXPECT_TRUE(engine.moves[1].start_over);
}

TEST_F(CommandsTest, restore_tells_what_follows_or_what_is_wrong) {
  EXPECT_EQ(run({"restore", "--config", config}), exit_ok) << err;
  EXPECT_EQ(out, "restored\n");
  EXPECT_EQ(engine.restored, std::vector<std::string>{"example.org"});
  engine.check_faults = {{"the data folder cannot be used", "another backplane uses it", "stop the server", "data", 0}};
  EXPECT_EQ(run({"restore", "--config", config}), exit_faults);
  EXPECT_NE(err.find("another backplane uses it"), std::string::npos);
}

TEST_F(CommandsTest, doctor_tells_what_it_has_looked_at_and_what_is_wrong) {
  EXPECT_EQ(run({"doctor", "--config", config}), exit_ok) << err;
  EXPECT_EQ(out, "looked\n");
  EXPECT_EQ(engine.checked, std::vector<std::string>{"example.org"});
  engine.check_faults = {{"the database of plugin room_server holds events of no room", "1: 16", "report this", "", 0}};
  EXPECT_EQ(run({"doctor", "--config", config}), exit_faults);
  EXPECT_NE(err.find("events of no room"), std::string::npos);
}

TEST_F(CommandsTest, wiring_prints_or_writes) {
  EXPECT_EQ(run({"wiring", "--format", "dot", "--config", config}), exit_ok);
  EXPECT_EQ(out, "digraph {}\n");
  EXPECT_EQ(run({"wiring", "--config", config, "--output", folder.path() + "/wiring.md"}), exit_ok);
  EXPECT_EQ(folder.read("wiring.md"), "graph\n");
}

TEST_F(CommandsTest, version_names_the_abi) {
  EXPECT_EQ(run({"--version"}), exit_ok);
  EXPECT_THAT(out, HasSubstr("ABI:       1.0"));
}

}  // namespace
}  // namespace backplane::host
