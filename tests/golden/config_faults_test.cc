// The texts of faults in config. Each test is one file of config and the text for it.
#include "golden/golden.h"
#include "host/config/config.h"
#include "host/config/plugin_options.h"
#include "support/temporary_folder.h"

namespace backplane::host {
namespace {

using testing_support::expect_golden;
using testing_support::replaced;

struct ConfigFaults : ::testing::Test {
  void expect(const std::string& name, std::string_view text, const Environment& environment = {}) {
    const LoadedConfig loaded = load_config(folder.write("backplane.yaml", text), environment);
    expect_faults(name, loaded.faults);
  }
  void expect_faults(const std::string& name, const std::vector<Fault>& faults) {
    expect_golden(name, replaced(format_faults(faults), folder.path(), "/etc/backplane"));
  }
  testing_support::TemporaryFolder folder;
};

TEST_F(ConfigFaults, unknown_options) {
  expect("config_unknown_options.txt", R"(server_nam: example.org
storage:
  engin: sqlite
  colour: blue
cache_bytes: 1MiB
listners: []
listeners:
  - prot: 8008
    port: 8008
)");
}

TEST_F(ConfigFaults, wrong_values) {
  expect("config_wrong_values.txt", R"(server_name: https://example.org/
io_threads: many
drain_timeout: 30
storage: sqlite
log:
  level: warn
  format: [json]
trusted_proxies: 10.0.0.0/8
workers:
  client: 0
limits:
  body_bytes: 1
rate_limits:
  login:
    per_second: often
listeners:
  - bind: localhost
    port: 80080
  - bind: 127.0.0.1
    port: 8448
    serves: [federation, clients]
plugins:
  sync_api:
    enabled: yes
  room_server: off
)");
}

TEST_F(ConfigFaults, nothing_is_set) { expect("config_empty.txt", ""); }

TEST_F(ConfigFaults, the_file_is_not_there) {
  expect_faults("config_missing_file.txt", load_config(folder.path() + "/backplane.yaml", {}).faults);
}

TEST_F(ConfigFaults, broken_yaml) {
  expect("config_broken_yaml.txt", "server_name: example.org\nlog: {level: info\nio_threads: 3\n");
}

TEST_F(ConfigFaults, duplicate_keys) {
  expect("config_duplicate_keys.txt", R"(server_name: example.org
log:
  level: info
  level: debug
storage: {engine: sqlite, engine: postgresql}
log:
  format: json
)");
}

TEST_F(ConfigFaults, files_beside) {
  folder.write("conf.d/10-own.yml", "io_threads: 1\n");
  folder.write("conf.d/20-own.yaml", "io_thread: 1\n");
  expect("config_files_beside.txt", "server_name: example.org\n---\nserver_name: example.com\n");
}

TEST_F(ConfigFaults, environment) {
  expect("config_environment.txt", "server_name: example.org\n",
         {{"BACKPLANE__LISTENERS__3__PORT", "1"},
          {"BACKPLANE__STORAGE__ENGNE", "sqlite"},
          {"BACKPLANE__IO_THREADS", "x"},
          {"BACKPLANE__LOG__", "x"},
          {"BACKPLANE__TRUSTED_PROXIES", "[10.0.0.1"}});
}

TEST_F(ConfigFaults, references) {
  expect("config_references.txt", R"(server_name: ${env:NAME}
shared_secret: ${file:/nowhere/secret}
storage:
  connection: ${vault:x}
log:
  file: a${b
)");
}

TEST_F(ConfigFaults, listeners) {
  expect("config_listeners.txt", R"(server_name: example.org
listeners:
  - port: 8008
  - port: 8008
    serves: []
  - bind: 0.0.0.0
    port: 9008
    tls:
      certificate: cert.pem
  - port: 9008
  - 8009
storage:
  engine: postgresql
)");
}

TEST_F(ConfigFaults, hosts) {
  expect("config_hosts.txt", R"(server_name: example.org
this_host: fron
shared_secret: short
hosts:
  front:
    plugins: [client_api]
  back:
    url: 10.0.0.2
    plugins: [room_server]
)");
}

TEST_F(ConfigFaults, options_of_plugins) {
  const auto manifest = plugin::parse_manifest(R"({"name": "room_server", "version": "1", "sdk_abi": 1, "summary": "s",
    "status": "beta", "exposure": "internal", "options": [
    {"name": "default_room_version", "type": "enum", "choices": ["10", "11", "12"], "default": "12", "doc": "d"},
    {"name": "lane_timeout", "type": "duration", "default": "30s", "minimum": "1s", "maximum": "5m", "doc": "d"},
    {"name": "pin", "type": "secret", "default": "", "doc": "d"},
    {"name": "token", "type": "secret", "required": true, "doc": "What application services show."}]})");
  ASSERT_TRUE(manifest) << manifest.error().text;
  folder.write("plugins.d/room_server.yaml", R"(# Rooms.
default_room_verson: 11
lane_timeout: 10m
pin: [1, 2]
)");
  const LoadedConfig loaded = load_config(folder.write("backplane.yaml", R"(server_name: example.org
plugin_dirs: [plugins]
plugins:
  room_server:
    default_room_version: 9
  sync_ap: {}
)"),
                                          {});
  std::vector<Fault> faults = build_options(*manifest, loaded.config).faults;
  for (auto& fault : check_plugin_names(loaded.config, std::vector{*manifest})) faults.push_back(std::move(fault));
  expect_faults("config_plugin_options.txt", faults);
}

}  // namespace
}  // namespace backplane::host
