// The texts of faults in what several hosts are to run, and in files that do not agree. Each test is the config of some
// hosts and the text for it.
#include "golden/golden.h"
#include "host/config/compare.h"
#include "host/config/config.h"
#include "host/plugins/placement.h"
#include "support/temporary_folder.h"

namespace backplane::host {
namespace {

using testing_support::expect_golden;
using testing_support::replaced;

/// A manifest with these members beside those that all have.
plugin::Manifest manifest(const std::string& name, const std::string& members) {
  auto parsed = plugin::parse_manifest(R"({"name": ")" + name + R"(", "version": "1", "sdk_abi": 1, "summary": "s",
    "status": "beta", "exposure": "internal")" +
                                       members + "}");
  EXPECT_TRUE(parsed) << parsed.error().text;
  return std::move(*parsed);
}

struct PlacementFaults : ::testing::Test {
  PlacementFaults() {
    installed.push_back(manifest("rooms", R"(, "hosts": "several", "provides": ["backplane.room_server/1"],
      "publishes": [{"topic": "room_events"}])"));
    installed.push_back(manifest("users", R"(, "provides": ["backplane.user_api/1"],
      "publishes": [{"topic": "sessions"}])"));
    installed.push_back(manifest("edge", R"(, "hosts": "several",
      "requires": [{"interface": "backplane.room_server/1", "need": "hard"},
                   {"interface": "backplane.user_api/1", "need": "hard"}],
      "consumes": [{"topic": "room_events", "subscription": "tail", "from": "now"},
                   {"topic": "sessions", "subscription": "tail", "from": "now"}])"));
    installed.push_back(manifest("log_kafka", R"(, "hosts": "several", "provides": ["backplane.log_transport/1"],
      "options": [{"name": "brokers", "type": "list", "default": ["127.0.0.1:9092"], "doc": "d"},
                  {"name": "topic_prefix", "type": "string", "default": "backplane", "doc": "d"},
                  {"name": "password", "type": "secret", "default": "", "doc": "d"}])"));
  }

  LoadedConfig load(const std::string& name, std::string_view text) {
    return load_config(folder.write(name, text), {});
  }
  void expect(const std::string& golden, const Faults& faults) {
    expect_golden(golden, replaced(format_faults(faults), folder.path(), "/etc/backplane"));
  }
  void expect_placement(const std::string& golden, std::string_view text) {
    const LoadedConfig loaded = load("backplane.yaml", text);
    Faults faults = loaded.faults;
    check_placement(loaded.config, installed, faults);
    (void)resolve(seen_from(loaded.config, loaded.config.this_host, installed), faults);
    check_other_hosts(loaded.config, installed, faults);
    expect(golden, faults);
  }

  testing_support::TemporaryFolder folder;
  std::vector<plugin::Manifest> installed;
};

TEST_F(PlacementFaults, what_hosts_cannot_share) {
  expect_placement("placement_shared.txt", R"(server_name: example.org
shared_secret: 0123456789abcdef
this_host: one
hosts:
  one:
    url: http://10.0.0.1:8500
    plugins: [rooms, users]
  two:
    url: http://10.0.0.2:8500
    plugins: [edge, users]
)");
}

TEST_F(PlacementFaults, what_runs_nowhere) {
  expect_placement("placement_nowhere.txt", R"(server_name: example.org
shared_secret: 0123456789abcdef
this_host: one
storage:
  engine: postgresql
  connection: host=10.0.0.3 dbname=backplane
log:
  transport: kafka
listeners:
  - port: 8500
    serves: [internal]
hosts:
  one:
    url: http://10.0.0.1:8500
    plugins: [rooms, log_kafka]
  two:
    url: http://10.0.0.2:8500
    plugins: [edge, log_kafka]
)");
}

TEST_F(PlacementFaults, a_file_that_hosts_are_to_have_in_common) {
  installed.push_back(manifest("signer", R"(, "hosts": "several", "options": [
    {"name": "key", "type": "path", "default": "signing.key", "shared": true, "doc": "d"}])"));
  const auto faults_of = [&](const std::string& this_host, const std::string& hosts, const std::string& plugins = {}) {
    const LoadedConfig loaded =
        load("backplane.yaml",
             "server_name: example.org\ndata_dir: data\nthis_host: " + this_host + "\n" + plugins + "hosts:\n" + hosts);
    Faults faults;
    check_shared_files(loaded.config, installed, faults);
    return faults;
  };
  const std::string two = "  one: {plugins: [signer]}\n  two: {plugins: [signer]}\n  three: {plugins: [edge]}\n";
  Faults faults = faults_of("one", two);
  ASSERT_EQ(faults.size(), 1U);
  for (Fault& fault : faults_of("two", two, "plugins:\n  signer:\n    key: keys/signing.key\n"))
    faults.push_back(fault);
  expect("placement_shared_file.txt", faults);
  EXPECT_TRUE(faults_of("three", two).empty());                           // it does not need the file
  EXPECT_TRUE(faults_of("one", "  one: {plugins: [signer]}\n").empty());  // it makes one by itself
  folder.write("data/signing.key", "a key");
  EXPECT_TRUE(faults_of("one", two).empty());
}

TEST_F(PlacementFaults, a_split_that_is_right_has_none) {
  const LoadedConfig loaded = load("backplane.yaml", R"(server_name: example.org
shared_secret: 0123456789abcdef
this_host: one
storage:
  engine: postgresql
  connection: host=10.0.0.3 dbname=backplane
log:
  transport: kafka
listeners:
  - port: 8500
    serves: [internal]
hosts:
  one:
    url: http://10.0.0.1:8500
    plugins: [rooms, users, log_kafka]
  two:
    url: http://10.0.0.2:8500
    plugins: [rooms, edge, log_kafka]
)");
  Faults faults = loaded.faults;
  check_placement(loaded.config, installed, faults);
  (void)resolve(seen_from(loaded.config, "one", installed), faults);
  check_other_hosts(loaded.config, installed, faults);
  EXPECT_EQ(format_faults(faults), "");
}

TEST_F(PlacementFaults, files_that_do_not_agree) {
  const LoadedConfig one = load("one.yaml", R"(server_name: example.org
shared_secret: 0123456789abcdef
this_host: one
storage:
  engine: postgresql
  connection: host=10.0.0.3 dbname=backplane user=backplane password=first
log:
  transport: kafka
listeners:
  - port: 8500
    serves: [internal]
    tls:
      client_ca: ca.pem
internal_tls:
  certificate: cert.pem
plugins:
  log_kafka:
    brokers: [10.0.0.4:9092]
    password: first
  edge:
    enabled: false
hosts:
  one:
    url: http://10.0.0.1:8500
    plugins: [rooms, users, log_kafka]
  two:
    url: http://10.0.0.2:8500
    plugins: [edge, log_kafka]
  three:
    url: http://10.0.0.5:8500
    plugins: [edge, log_kafka]
)");
  const LoadedConfig two = load("two.yaml", R"(server_name: example.com
shared_secret: 0123456789abcdeF
this_host: one
storage:
  engine: postgresql
  connection: host=10.0.0.4 dbname='other' user=backplane password=second
log:
  transport: kafka
plugins:
  log_kafka:
    brokers: [10.0.0.5:9092]
    topic_prefix: test
    password: second
hosts:
  one:
    url: http://localhost:8500
    plugins: [users, rooms, log_kafka]
  two:
    url: http://10.0.0.20:8500
    plugins: [log_kafka]
)");
  Faults faults = one.faults;
  faults.insert(faults.end(), two.faults.begin(), two.faults.end());
  for (Fault& fault : compare_configs(one.config, two.config, installed)) faults.push_back(std::move(fault));
  expect("placement_files.txt", faults);
}

}  // namespace
}  // namespace backplane::host
