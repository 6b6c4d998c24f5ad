#include "backplane/testing/fake_host.h"

#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "backplane/log/runtime.h"
#include "backplane/plugin/entry.h"
#include "backplane/testing/temporary_database.h"
#include "fake_plugin.h"
#include "fake_timers.h"
#include "fake_transport.h"

namespace backplane::testing {
namespace {

[[noreturn]] void fail(const std::string& text) { throw std::runtime_error("FakeHost: " + text); }

void expect(const Result<void>& result, const std::string& what) {
  if (!result) fail(what + ": " + result.error().text);
}

class InlineExecutor final : public Executor {
 public:
  bool submit(std::function<void()> work) override {
    work();
    return true;
  }
};

const plugin::Entry& open_object(const std::string& path) {
  void* const object = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (object == nullptr) fail(::dlerror());
  const void* const symbol = ::dlsym(object, "backplane_plugin_entry");
  if (symbol == nullptr) fail(path + " is no plugin");
  const auto& entry = *static_cast<const plugin::Entry*>(symbol);
  if (entry.magic != plugin::entry_magic || entry.size != sizeof(plugin::Entry))
    fail(path + " is a plugin for another SDK");
  return entry;
}

/// Paths that are defaults are relative to the data folder, as in the host.
plugin::OptionValue default_of(const plugin::OptionSpec& option, const std::string& folder) {
  if (option.type != plugin::OptionType::path) return option.default_value;
  const auto& path = std::get<std::string>(option.default_value);
  return path.empty() || path.front() == '/' ? path : folder + "/" + path;
}

plugin::Options options_of(const plugin::Manifest& manifest, FakeHost::OptionOverrides overrides,
                           const std::string& folder) {
  for (const plugin::OptionSpec& option : manifest.options)
    overrides.try_emplace(option.name, default_of(option, folder));
  return plugin::Options(std::move(overrides));
}

}  // namespace

struct FakeHost::State {
  explicit State(FakeHostOptions o) : options(std::move(o)), random(options.seed), timers(clock), transport(time()) {}
  Clock& time() { return options.real_time ? system_clock() : clock; }
  FakePlugin& find(std::string_view name) {
    for (auto& plugin : plugins) {
      if (plugin->name == name) return *plugin;
    }
    fail("there is no plugin " + std::string(name));
  }
  /// Everything but the folder.
  void clear() {
    instances.clear();
    for (auto it = plugins.rbegin(); it != plugins.rend(); ++it) (*it)->plugin.reset();
    runtime.reset();
    wirings.clear();
    plugins.clear();
    provided.clear();
    routes.clear();
    offered.clear();
    timers.clear();
  }

  FakeHostOptions options;
  TemporaryFolder folder;
  std::string plugin_folder;
  std::string url = "https://test.example";
  FakeClock clock;
  FakeRandom random;
  InlineExecutor executor;
  FakeTimers timers;
  Logger logger = quiet_logger();
  FakeTransport transport;
  std::unique_ptr<log::Runtime> runtime;
  std::vector<std::unique_ptr<FakePlugin>> plugins;
  std::vector<std::unique_ptr<FakeWiring>> wirings;
  std::vector<api::Interface*> provided;
  std::vector<FakeRoute> routes;
  OfferedObjects offered;
  std::map<std::string, std::unique_ptr<api::Interface>, std::less<>> instances;
  bool running = false;
};

FakeHost::FakeHost(FakeHostOptions options) : state_(std::make_unique<State>(std::move(options))) {
  if (const char* const folder = std::getenv("BACKPLANE_PLUGIN_FOLDER")) state_->plugin_folder = folder;
}

FakeHost::~FakeHost() { stop(); }

void FakeHost::set_plugin_folder(std::string folder) { state_->plugin_folder = std::move(folder); }

void FakeHost::load(std::string_view plugin, OptionOverrides options) {
  const plugin::Entry& entry = open_object(state_->plugin_folder + "/" + std::string(plugin) + ".so");
  auto manifest = plugin::parse_manifest(entry.manifest);
  if (!manifest) fail("the manifest of " + std::string(plugin) + ": " + manifest.error().text);
  auto loaded = std::make_unique<FakePlugin>();
  loaded->name = manifest->name;
  loaded->options = options_of(*manifest, std::move(options), folder());
  loaded->plugin = {entry.create(*this), entry.destroy};
  state_->plugins.push_back(std::move(loaded));
}

void FakeHost::add(std::string name, Create create, plugin::Options options) {
  auto added = std::make_unique<FakePlugin>();
  added->name = std::move(name);
  added->options = std::move(options);
  added->plugin = {create(*this).release(), [](plugin::Plugin* plugin) { delete plugin; }};
  state_->plugins.push_back(std::move(added));
}

void FakeHost::provide(api::Interface& interface) { state_->provided.push_back(&interface); }

void FakeHost::start() {
  State& state = *state_;
  if (state.running) fail("started twice");
  state.runtime = std::make_unique<log::Runtime>(state.time(), state.random, state.logger);
  for (auto& plugin : state.plugins) {
    for (const std::string& fault : plugin->plugin->configure(plugin->options)) fail(plugin->name + ": " + fault);
    log::Log& log = state.runtime->for_plugin(plugin->name, plugin->metrics, logger(plugin->name));
    state.wirings.push_back(std::make_unique<FakeWiring>(*plugin, log, state.routes, state.offered));
    expect(plugin->plugin->wire(*state.wirings.back()), plugin->name + ": wire");
    state.provided.insert(state.provided.end(), plugin->provided.begin(), plugin->provided.end());
  }
  for (auto& plugin : state.plugins) {
    for (auto& need : plugin->needs) connect_instance(*need);
  }
  for (auto& plugin : state.plugins) {
    if (!plugin->has_store) continue;
    storage::DatabaseConfig config;
    config.path = folder() + "/" + plugin->name + ".db";
    config.synchronous = state.options.synchronous;
    if (!state.options.postgresql.empty()) {
      config.engine = storage::Engine::postgresql;
      config.connection = state.options.postgresql;
      config.schema = state.options.schemas + plugin->name;
      config.sharing = plugin->store_options.sharing;
      config.host = state.options.host;
      config.times.heartbeat = std::chrono::milliseconds(50);
      config.times.takeover = std::chrono::seconds(2);
    }
    auto store = storage::open_store(config, plugin->name, plugin->store_options.migrations, state.time(),
                                     &plugin->metrics, logger(plugin->name), state.runtime->hook(&plugin->store));
    if (!store) fail("the store of " + plugin->name + ": " + store.error().text);
    plugin->store.open(std::move(*store));
  }
  state.running = true;
  for (auto& plugin : state.plugins) expect(plugin->plugin->start(), plugin->name + ": start");
  expect(state.runtime->start(state.transport), "the log");
}

void FakeHost::stop() {
  State& state = *state_;
  if (state.running) {
    state.timers.drain();
    for (auto it = state.plugins.rbegin(); it != state.plugins.rend(); ++it) (*it)->plugin->drain(clock().now());
    state.runtime->stop_consumers(clock().now() + std::chrono::seconds(5));
    for (auto it = state.plugins.rbegin(); it != state.plugins.rend(); ++it) (*it)->plugin->stop();
    state.runtime->stop();
    state.transport.stop();
    for (auto& plugin : state.plugins) plugin->store.close();
  }
  state.running = false;
  state.clear();
  state.transport.clear();
}

std::unique_ptr<api::Interface>& FakeHost::connected(std::string_view id) {
  return state_->instances.try_emplace(std::string(id)).first->second;
}

void FakeHost::connect_instance(api::Interface& instance) {
  for (const api::Interface* provider : state_->provided) {
    if (provider->id() != instance.id()) continue;
    if (provider->fingerprint() != instance.fingerprint()) fail("two builds of " + std::string(instance.id()));
    for (api::MethodBase* method : instance.methods()) method->connect(*provider->find_method(method->name()));
    return;
  }
}

std::vector<log::RecordPtr> FakeHost::records(std::string_view topic) const {
  log::Source* const source = state_->transport.find(topic);
  if (source == nullptr) fail("nobody publishes " + std::string(topic));
  std::vector<log::RecordPtr> records;
  for (log::Positions after;;) {
    auto batch = source->read(topic, after, 1000);
    if (!batch) fail(batch.error().text);
    if (batch->records.empty()) return records;
    records.insert(records.end(), batch->records.begin(), batch->records.end());
    after = batch->after;
  }
}

std::uint64_t FakeHost::commits(std::string_view plugin) const { return state_->find(plugin).store.commits(); }
std::vector<std::string> FakeHost::findings(std::string_view plugin) {
  std::vector<std::string> findings;
  FakePlugin& checked = state_->find(plugin);
  for (const storage::Check& check : checked.store_options.checks) {
    auto found = checked.store.read([&](storage::Session& session) { return session.list<std::string>(check.query); });
    if (!found) fail(check.what + ": " + found.error().text);
    for (const std::string& what : *found) findings.push_back(check.what + ": " + what);
  }
  return findings;
}

std::int64_t FakeHost::count(std::string_view plugin, std::string_view query) {
  auto found = state_->find(plugin).store.read(
      [&](storage::Session& session) { return session.find<std::int64_t>(query).value_or(0); });
  if (!found) fail(found.error().text);
  return *found;
}

void FakeHost::fail_writes(std::string_view plugin, Error error, std::size_t count, std::size_t skip) {
  state_->find(plugin).store.fail_writes(std::move(error), count, skip);
}
void FakeHost::hold_writer(std::string_view plugin) { state_->find(plugin).store.hold_writer(); }
void FakeHost::release_writer(std::string_view plugin) { state_->find(plugin).store.release_writer(); }
const std::vector<FakeRoute>& FakeHost::routes() const { return state_->routes; }

std::int64_t FakeHost::metric(std::string_view plugin, std::string_view name, const MetricLabels& labels) const {
  return state_->find(plugin).metrics.value(name, labels);
}

void FakeHost::advance(Duration duration) {
  state_->clock.advance(duration);
  state_->timers.run_due();
}

FakeClock& FakeHost::fake_clock() { return state_->clock; }
const std::string& FakeHost::folder() const { return state_->folder.path(); }
const std::string& FakeHost::server_name() const { return state_->options.server_name; }

std::string FakeHost::data_folder(std::string_view plugin) {
  const std::string path = folder() + "/" + std::string(plugin);
  std::filesystem::create_directories(path);
  return path;
}

Clock& FakeHost::clock() { return state_->time(); }
Random& FakeHost::random() { return state_->random; }
Logger FakeHost::logger(std::string_view plugin) { return state_->logger.part(plugin); }
Executor& FakeHost::cpu_executor() { return state_->executor; }
Executor& FakeHost::worker_executor() { return state_->executor; }
plugin::Timers& FakeHost::timers() { return state_->timers; }
const std::string& FakeHost::public_base_url() const { return state_->url; }
void* FakeHost::extension(std::string_view) { return nullptr; }

}  // namespace backplane::testing
