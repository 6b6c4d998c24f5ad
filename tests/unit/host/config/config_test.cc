#include "host/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/config/plugin_options.h"
#include "support/temporary_folder.h"

namespace backplane::host {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing_support::TemporaryFolder;

struct ConfigTest : ::testing::Test {
  LoadedConfig load(std::string_view text, const Environment& environment = {}) {
    return load_config(folder.write("backplane.yaml", text), environment);
  }
  /// The faults, without the folder's name.
  std::string faults_of(std::string_view text, const Environment& environment = {}) {
    std::string out = format_faults(load(text, environment).faults);
    for (auto at = out.find(folder.path()); at != std::string::npos; at = out.find(folder.path()))
      out.replace(at, folder.path().size() + 1, "");
    return out;
  }
  TemporaryFolder folder;
};

TEST_F(ConfigTest, a_server_name_is_enough) {
  const LoadedConfig loaded = load("server_name: example.org\n");
  ASSERT_EQ(format_faults(loaded.faults), "");
  const Config& config = loaded.config;
  EXPECT_EQ(config.server_name, "example.org");
  EXPECT_EQ(config.data_dir, folder.path() + "/data");
  ASSERT_EQ(config.listeners.size(), 1U);
  EXPECT_EQ(config.listeners[0].port, 8008);
  EXPECT_THAT(config.listeners[0].serves, ElementsAre(http::Surface::client, http::Surface::media));
  EXPECT_EQ(config.public_base_url, "http://localhost:8008");
  EXPECT_EQ(config.storage.cache_bytes, 32 << 20);
  EXPECT_EQ(config.drain_timeout, Duration(20s));
  EXPECT_EQ(config.rate_limits.of(http::RateClass::login).per_second, 0.2);
  EXPECT_EQ(config.rate_limits.of(http::RateClass::none).per_second, 0);
  EXPECT_TRUE(config.enabled("anything"));
  EXPECT_TRUE(config.runs_here("anything"));
}

TEST_F(ConfigTest, every_section_is_read) {
  const LoadedConfig loaded = load(R"(
server_name: example.org
public_base_url: https://matrix.example.org/
data_dir: /var/lib/backplane
plugin_dirs: [default, more]
trusted_proxies: [127.0.0.1, 10.0.0.0/8, "fd00::/8"]
io_threads: 3
drain_timeout: 1m
operations: {bind: 0.0.0.0, port: 0}
storage: {engine: postgresql, connection: dbname=x, cache_bytes: 64MiB, synchronous: normal}
log: {transport: kafka, level: debug, format: json, file: log.txt}
workers: {client: 8}
limits: {body_bytes: 10MB, idle_timeout: 30s}
rate_limits: {read: {per_second: 0}, login: {per_second: 0.5, burst: 3}}
listeners:
  - {bind: 0.0.0.0, port: 8448, serves: [federation], tls: {certificate: cert.pem, key: /key.pem}}
  - {bind: "::1", port: 8008, serves: [client, media, internal]}
plugins:
  room_server: {default_room_version: 11}
  sync_api: {enabled: false}
  client_api:
)");
  ASSERT_EQ(format_faults(loaded.faults), "");
  const Config& config = loaded.config;
  EXPECT_EQ(config.public_base_url, "https://matrix.example.org");
  ASSERT_EQ(config.plugin_dirs.size(), 2U);
  EXPECT_EQ(config.plugin_dirs[1], folder.path() + "/more");
  EXPECT_EQ(config.storage.engine, StorageEngine::postgresql);
  EXPECT_EQ(config.storage.synchronous, Synchronous::normal);
  EXPECT_EQ(config.log.level, LogLevel::debug);
  EXPECT_EQ(config.log.format, LogFormat::json);
  EXPECT_EQ(config.log.file, folder.path() + "/log.txt");
  EXPECT_EQ(config.workers.of(http::Surface::client), 8);
  EXPECT_EQ(config.workers.of(http::Surface::media), 16);
  EXPECT_EQ(config.limits.body_bytes, 10'000'000);
  EXPECT_EQ(config.rate_limits.login.burst, 3);
  EXPECT_EQ(config.rate_limits.login.per_second, 0.5);
  ASSERT_EQ(config.listeners.size(), 2U);
  EXPECT_TRUE(config.listeners[0].tls());
  EXPECT_EQ(config.listeners[0].tls_certificate, folder.path() + "/cert.pem");
  EXPECT_EQ(config.listeners[0].tls_key, "/key.pem");
  EXPECT_FALSE(config.enabled("sync_api"));
  EXPECT_EQ(config.plugins.at("room_server").options.find("default_room_version")->text, "11");
}

TEST_F(ConfigTest, each_layer_lies_over_the_one_before) {
  folder.write("plugins.d/room_server.yaml", "a: plugins.d\nb: plugins.d\nc: plugins.d\nd: plugins.d\n");
  folder.write("conf.d/10-first.yaml", "plugins: {room_server: {b: first, c: first, d: first}}\n");
  folder.write("conf.d/20-second.yaml", "plugins: {room_server: {c: second, d: second}}\nio_threads: 5\n");
  const LoadedConfig loaded = load("server_name: x\nio_threads: 4\nplugins: {room_server: {a: main, e: main}}\n",
                                   {{"BACKPLANE__PLUGINS__ROOM_SERVER__D", "environment"}});
  ASSERT_EQ(format_faults(loaded.faults), "");
  const Setting& options = loaded.config.plugins.at("room_server").options;
  EXPECT_EQ(options.find("a")->text, "plugins.d");
  EXPECT_EQ(options.find("b")->text, "first");
  EXPECT_EQ(options.find("c")->text, "second");
  EXPECT_EQ(options.find("d")->text, "environment");
  EXPECT_EQ(options.find("e")->text, "main");
  EXPECT_EQ(options.find("c")->source.file, folder.path() + "/conf.d/20-second.yaml");
  EXPECT_EQ(loaded.config.io_threads, 5);
  EXPECT_EQ(loaded.files.size(), 4U);
}

TEST_F(ConfigTest, the_environment_reaches_lists_and_maps) {
  const LoadedConfig loaded = load("server_name: x\n", {{"BACKPLANE__LISTENERS__0__PORT", "9000"},
                                                        {"BACKPLANE__LISTENERS__1__PORT", "9001"},
                                                        {"BACKPLANE__LISTENERS__1__SERVES", "[federation]"},
                                                        {"BACKPLANE__STORAGE", "{cache_bytes: 1MiB}"},
                                                        {"BACKPLANE__TRUSTED_PROXIES", "[10.0.0.1]"},
                                                        {"BACKPLANE_OTHER", "ignored"}});
  ASSERT_EQ(format_faults(loaded.faults), "");
  ASSERT_EQ(loaded.config.listeners.size(), 2U);
  EXPECT_EQ(loaded.config.listeners[0].port, 9000);
  EXPECT_EQ(loaded.config.listeners[1].port, 9001);
  EXPECT_THAT(loaded.config.listeners[1].serves, ElementsAre(http::Surface::federation));
  EXPECT_EQ(loaded.config.storage.cache_bytes, 1 << 20);
  EXPECT_THAT(loaded.config.trusted_proxies, ElementsAre("10.0.0.1"));
}

TEST_F(ConfigTest, ten_elements_come_in_the_order_of_their_numbers) {
  Environment environment;
  for (int i = 0; i < 11; ++i)
    environment["BACKPLANE__LISTENERS__" + std::to_string(i) + "__PORT"] = std::to_string(9100 + i);
  const LoadedConfig loaded = load("server_name: x\n", environment);
  ASSERT_EQ(format_faults(loaded.faults), "");
  ASSERT_EQ(loaded.config.listeners.size(), 11U);
  EXPECT_EQ(loaded.config.listeners[10].port, 9110);
}

TEST_F(ConfigTest, references_to_files_and_variables_are_replaced) {
  folder.write("secret", "s3cret value that is long\n");
  const LoadedConfig loaded = load(
      "server_name: ${env:NAME}\nshared_secret: ${file:secret}\nthis_host: ''\nlog: {file: 'a$${b}-${env:NAME}'}\n"
      "plugins: {off: {enabled: false, token: '${file:/nowhere}'}}\n",
      {{"NAME", "example.org"}});
  ASSERT_EQ(format_faults(loaded.faults), "");
  EXPECT_EQ(loaded.config.server_name, "example.org");
  EXPECT_EQ(loaded.config.shared_secret, "s3cret value that is long");
  EXPECT_EQ(loaded.config.log.file, folder.path() + "/a${b}-example.org");
}

TEST_F(ConfigTest, hosts_say_what_runs_here) {
  const LoadedConfig loaded = load(R"(
server_name: x
shared_secret: 0123456789abcdef
this_host: b
hosts:
  a: {url: "http://10.0.0.1:8500", plugins: [client_api]}
  b: {url: "http://10.0.0.2:8500", plugins: [room_server, sync_api]}
plugins: {sync_api: {enabled: false}}
)");
  ASSERT_EQ(format_faults(loaded.faults), "");
  EXPECT_FALSE(loaded.config.runs_here("client_api"));
  EXPECT_TRUE(loaded.config.runs_here("room_server"));
  EXPECT_FALSE(loaded.config.runs_here("sync_api"));
}

TEST_F(ConfigTest, null_and_bad_members_of_a_section_do_no_harm) {
  EXPECT_EQ(faults_of("server_name: x\nplugins:\nstorage:\nhosts:\n"), "");
  EXPECT_THAT(faults_of("server_name: x\nlisteners: none\n"), ::testing::HasSubstr("expected a list, found a text"));
  EXPECT_THAT(faults_of("- a\n- b\n"), ::testing::HasSubstr("a config file must be a map of options"));
  EXPECT_THAT(faults_of("a: &x [1]\nb: *x\nserver_name: x\n"), ::testing::HasSubstr("unknown option 'b'"));
}

TEST_F(ConfigTest, aliases_cannot_fill_the_memory) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string below = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 9; ++j) text += below + ", ";
    text += below + "]\n";
  }
  EXPECT_THAT(faults_of(text), ::testing::HasSubstr("too many aliases"));
}

plugin::Manifest room_server() {
  const auto manifest = plugin::parse_manifest(R"({"name": "room_server", "version": "1", "sdk_abi": 1, "summary": "s",
    "status": "beta", "exposure": "internal", "options": [
    {"name": "default_room_version", "type": "enum", "choices": ["10", "11", "12"], "default": "12", "doc": "d"},
    {"name": "lane_timeout", "type": "duration", "default": "30s", "doc": "d"},
    {"name": "signing_key", "type": "path", "default": "signing.key", "doc": "d"},
    {"name": "other_key", "type": "path", "default": "", "doc": "d"},
    {"name": "words", "type": "list", "default": [], "doc": "d"},
    {"name": "token", "type": "secret", "required": true, "doc": "What appservices show."}]})");
  return manifest ? *manifest : plugin::Manifest{};
}

TEST_F(ConfigTest, a_plugins_options_are_typed) {
  const LoadedConfig loaded = load(
      "server_name: x\nplugins: {room_server: {default_room_version: 11, words: [a, b], other_key: k, token: t}}\n");
  ASSERT_EQ(format_faults(loaded.faults), "");
  const BuiltOptions built = build_options(room_server(), loaded.config);
  ASSERT_EQ(format_faults(built.faults), "");
  EXPECT_EQ(built.options.text("default_room_version"), "11");
  EXPECT_EQ(built.options.duration("lane_timeout"), Duration(30s));
  EXPECT_EQ(built.options.text("signing_key"), folder.path() + "/data/signing.key");
  EXPECT_EQ(built.options.text("other_key"), folder.path() + "/k");
  EXPECT_THAT(built.options.list("words"), ElementsAre("a", "b"));
  EXPECT_EQ(built.options.text("token"), "t");
}

TEST_F(ConfigTest, plugins_that_nobody_has_are_found) {
  const LoadedConfig loaded = load("server_name: x\nplugins: {room_srver: {}}\nlog: {transport: kafka}\n");
  const std::vector manifests{room_server()};
  const auto faults = check_plugin_names(loaded.config, manifests);
  ASSERT_EQ(faults.size(), 2U);
  EXPECT_EQ(faults[0].what, "there is no plugin 'room_srver'");
  EXPECT_EQ(faults[0].fix, "did you mean 'room_server'?");
  EXPECT_EQ(faults[0].line, 2);
  EXPECT_EQ(faults[1].what, "there is no plugin 'log_kafka'");
}

TEST(Nearest, counts_a_swap_as_one_edit) {
  const std::vector<std::string> names{"port", "bind", "serves"};
  EXPECT_EQ(nearest("prot", names), "port");
  EXPECT_EQ(nearest("serve", names), "serves");
  EXPECT_EQ(nearest("x", names), "");
  EXPECT_EQ(nearest("something", names), "");
  EXPECT_EQ(suggest("x", names, "remove it"), "remove it; known here: port, bind, serves");
}

}  // namespace
}  // namespace backplane::host
