#include "host/plugins/plugin_set.h"

#include <algorithm>
#include <exception>
#include <filesystem>

#include "host/config/plugin_options.h"
#include "host/remote/call_router.h"

namespace backplane::host {

struct PluginSet::Member {
  struct Destroy {
    const plugin::Entry* entry;
    void operator()(plugin::Plugin* plugin) const { entry->destroy(plugin); }
  };
  PluginFile file;
  Metrics* metrics = nullptr;
  std::unique_ptr<PluginWiring> wiring;  // its interfaces are used until the plugin is destroyed
  std::unique_ptr<plugin::Plugin, Destroy> plugin{nullptr, Destroy{nullptr}};

  const std::string& name() const { return file.manifest.name; }
};

namespace {

/// Runs a step of a plugin's life; what it throws becomes an Error.
template <class Step>
Result<void> guarded(Step&& step) {
  try {
    return step();
  } catch (const std::exception& e) {
    return internal_error(std::string("an exception left it: ") + e.what());
  } catch (...) {
    return internal_error("an exception of unknown type left it");
  }
}

const api::Interface* find_provided(const std::vector<api::Interface*>& provided, std::string_view id) {
  const auto it =
      std::find_if(provided.begin(), provided.end(), [&](const api::Interface* i) { return i->id() == id; });
  return it == provided.end() ? nullptr : *it;
}

/// About a database that cannot be opened.
std::string what_to_do(const Error& error) {
  if (error.reason == "database_newer") return "run the version of Backplane that wrote it, or restore a backup";
  if (error.reason == "move_unfinished") return "run `backplane migrate-database` again: it goes on where it was";
  if (error.reason == "store_in_use") return "stop the server that has it";
  return "check that the database is there and may be written";
}

void connect_methods(api::Interface& consumer, const api::Interface& provider) {
  for (std::size_t i = 0; i < consumer.methods().size(); ++i) consumer.methods()[i]->connect(*provider.methods()[i]);
}

}  // namespace

PluginSet::PluginSet(std::vector<PluginFile> files, plugin::Host& host, MetricsRegistry& metrics, log::Runtime& log)
    : host_(host), metrics_(metrics), log_(log) {
  for (PluginFile& file : files) {
    auto member = std::make_unique<Member>();
    member->file = std::move(file);
    members_.push_back(std::move(member));
  }
}

PluginSet::~PluginSet() {
  while (!members_.empty()) members_.pop_back();  // consumers before providers
}

Fault PluginSet::fault(const Member& member, std::string what, const Error& error) const {
  return {"plugin " + member.name() + " " + std::move(what), error.text,
          "correct what is said above, or disable the plugin", member.file.object.string(), 0};
}

Faults PluginSet::configure(const Config& config) {
  Faults faults;
  for (const auto& member : members_) {
    BuiltOptions options = build_options(member->file.manifest, config);
    faults.insert(faults.end(), options.faults.begin(), options.faults.end());
    const plugin::Entry* entry = load_plugin(member->file, faults);
    if (entry == nullptr || !options.faults.empty()) continue;  // what is wrong with others does not hide this one's
    const auto configured = guarded([&]() -> Result<void> {
      member->plugin = {entry->create(host_), Member::Destroy{entry}};
      for (std::string& text : member->plugin->configure(options.options)) {
        faults.push_back({"plugin " + member->name() + " cannot work with its options", std::move(text),
                          "correct the options", config.file, 0});
      }
      return {};
    });
    if (!configured) faults.push_back(fault(*member, "cannot be configured", configured.error()));
  }
  return faults;
}

Faults PluginSet::wire() {
  Faults faults;
  for (const auto& member : members_) {
    member->metrics = &metrics_.view(member->name());
    log::Log& log = log_.for_plugin(member->name(), *member->metrics, host_.logger(member->name()));
    member->wiring = std::make_unique<PluginWiring>(member->file.manifest, log, *member->metrics, offered_);
    const auto wired = guarded([&] { return member->plugin->wire(*member->wiring); });
    if (!wired) faults.push_back(fault(*member, "cannot be wired", wired.error()));
    else member->wiring->compare(faults);
  }
  if (!faults.empty()) return faults;
  return connect_needs();
}

Faults PluginSet::connect_needs() {
  Faults faults;
  for (const auto& consumer : members_) {
    for (DeclaredNeed& need : consumer->wiring->needs()) connect_need(*consumer, need, faults);
  }
  return faults;
}

void PluginSet::connect_need(const Member& consumer, DeclaredNeed& need, Faults& faults) {
  const std::string id(need.instance->id());
  const auto it = std::find_if(members_.begin(), members_.end(),
                               [&](const auto& m) { return find_provided(m->wiring->provided(), id) != nullptr; });
  CallRouter* router = routers_ ? routers_(id) : nullptr;
  if (it == members_.end()) {
    if (router == nullptr) return;  // an optional need: resolve() has seen to the others
    router->bind(*need.instance);
    measure(consumer, router->plugin(), *need.instance);
    return;
  }
  const Member& provider = **it;
  const api::Interface& offered = *find_provided(provider.wiring->provided(), id);
  if (offered.fingerprint() != need.instance->fingerprint()) {
    faults.push_back({"plugins " + consumer.name() + " and " + provider.name() + " disagree about " + id,
                      consumer.name() + " was built with " + need.instance->fingerprint() + ", " + provider.name() +
                          " with " + offered.fingerprint(),
                      "install both from the same version", consumer.file.object.string(), 0});
    return;
  }
  if (router == nullptr) {
    connect_methods(*need.instance, offered);
  } else {
    router->set_local(offered, provider.wiring->store_handle());
    router->bind(*need.instance);
  }
  measure(consumer, provider.name(), *need.instance);
}

void PluginSet::measure(const Member& consumer, const std::string& provider, api::Interface& instance) {
  const auto& requirements = consumer.file.manifest.requires_;
  const auto requirement = std::find_if(requirements.begin(), requirements.end(),
                                        [&](const auto& r) { return r.interface_id == instance.id(); });
  Metrics& calls = metrics_.view("calls");
  for (api::MethodBase* method : instance.methods()) {
    const MetricLabels labels{{"from", consumer.name()},
                              {"to", provider},
                              {"wire", requirement->wire},
                              {"method", std::string(method->name())}};
    method->measure(&calls.counter("total", "Internal calls.", labels),
                    &calls.counter("errors_total", "Internal calls that failed.", labels),
                    &calls.histogram("seconds", "Duration of internal calls.", labels), &host_.clock(),
                    consumer.name());
  }
}

std::vector<PluginSet::Provided> PluginSet::provided() const {
  std::vector<Provided> all;
  for (const auto& member : members_)
    for (const api::Interface* interface : member->wiring->provided())
      all.push_back({interface, member->wiring->store_handle()});
  return all;
}

bool PluginSet::connect(api::Interface& interface) const {
  for (const auto& member : members_) {
    if (member->wiring == nullptr) continue;  // not wired yet
    if (const api::Interface* offered = find_provided(member->wiring->provided(), interface.id())) {
      if (offered->fingerprint() != interface.fingerprint()) return false;
      connect_methods(interface, *offered);
      return true;
    }
  }
  return false;
}

std::vector<DeclaredStore> PluginSet::declared_stores() const {
  std::vector<DeclaredStore> stores;
  for (const auto& member : members_) {
    if (member->wiring->store_handle() == nullptr) continue;
    const plugin::StoreOptions& options = member->wiring->store_options();
    stores.push_back({member->name(), options.migrations, options.checks});
  }
  return stores;
}

storage::DatabaseConfig database_of(const Config& config, const std::string& plugin) {
  storage::DatabaseConfig database;
  database.engine =
      config.storage.engine == StorageEngine::sqlite ? storage::Engine::sqlite : storage::Engine::postgresql;
  database.path = (std::filesystem::path(config.data_dir) / (plugin + ".db")).string();
  database.connection = config.storage.connection;
  database.schema = plugin;
  return database;
}

Faults PluginSet::open_stores(const Config& config, bool guest) {
  Faults faults;
  const auto stores = std::count_if(members_.begin(), members_.end(),
                                    [](const auto& m) { return m->wiring->store_handle() != nullptr; });
  for (const auto& member : members_) {
    StoreHandle* handle = member->wiring->store_handle();
    if (handle == nullptr) continue;
    storage::DatabaseConfig database = database_of(config, member->name());
    database.sharing = member->wiring->store_options().sharing;
    database.host = config.this_host;
    database.guest = guest;
    database.times.connect_wait = std::chrono::seconds(30);
    database.cache_bytes = config.storage.cache_bytes / stores;
    database.synchronous = config.storage.synchronous == Synchronous::full     ? storage::Synchronous::full
                           : config.storage.synchronous == Synchronous::normal ? storage::Synchronous::normal
                                                                               : storage::Synchronous::off;
    auto opened =
        storage::open_store(database, member->name(), member->wiring->store_options().migrations, host_.clock(),
                            member->metrics, host_.logger(member->name()), guest ? nullptr : log_.hook(handle));
    if (opened) {
      handle->open(std::move(*opened));
    } else {
      faults.push_back({"the database of plugin " + member->name() + " cannot be opened", opened.error().text,
                        what_to_do(opened.error()),
                        config.storage.engine == StorageEngine::sqlite ? database.path : std::string(), 0});
      if (opened.error().reason == "store_in_use") break;  // it was waited for; others of that server are in use, too
    }
  }
  return faults;
}

Faults PluginSet::start() {
  for (const auto& member : members_) {
    const auto result = guarded([&] { return member->plugin->start(); });
    if (!result) return {fault(*member, "cannot start", result.error())};
    ++started_;
  }
  return {};
}

void PluginSet::drain(Instant deadline) {
  for (std::size_t i = started_; i-- > 0;) {
    (void)guarded([&]() -> Result<void> {
      members_[i]->plugin->drain(deadline);
      return {};
    });
  }
}

void PluginSet::stop() {
  while (started_ > 0) {
    --started_;
    (void)guarded([&]() -> Result<void> {
      members_[started_]->plugin->stop();
      return {};
    });
  }
  for (const auto& member : members_) {
    metrics_.forget_computed(member->name());
    if (member->wiring != nullptr && member->wiring->store_handle() != nullptr) member->wiring->store_handle()->close();
  }
}

void* PluginSet::find_object(std::string_view id) const {
  const auto it = offered_.find(id);
  return it == offered_.end() ? nullptr : it->second;
}

void PluginSet::for_each_route(const RouteVisitor& visit) {
  for (const auto& member : members_) {
    for (DeclaredRoute& route : member->wiring->declared_routes()) visit(member->name(), route);
  }
}

}  // namespace backplane::host
