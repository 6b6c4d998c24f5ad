#include "host/plugins/plugin_wiring.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace backplane::host {

namespace {
std::string_view word(plugin::Need need) {
  return need == plugin::Need::hard ? "hard" : need == plugin::Need::late ? "late" : "optional";
}
}  // namespace

/// Records the routes of one surface.
class PluginWiring::Routes final : public http::Routes {
 public:
  Routes(std::vector<DeclaredRoute>& routes, http::Surface surface, http::Authenticator* authenticator)
      : routes_(routes), surface_(surface), authenticator_(authenticator) {}
  void add(http::Method method, std::string_view pattern, http::RouteOptions options, http::Handler handler) override {
    routes_.push_back({surface_, authenticator_, method, std::string(pattern), options, std::move(handler), {}});
  }
  void add_parking(http::Method method, std::string_view pattern, http::RouteOptions options,
                   http::ParkingHandler handler) override {
    routes_.push_back({surface_, authenticator_, method, std::string(pattern), options, {}, std::move(handler)});
  }

 private:
  std::vector<DeclaredRoute>& routes_;
  http::Surface surface_;
  http::Authenticator* authenticator_;
};

/// Notes which topics a plugin uses, and passes the call on.
class PluginWiring::RecordingLog final : public log::Log {
 public:
  RecordingLog(log::Log& log, std::vector<std::string>& published, std::vector<std::string>& consumed)
      : log_(log), published_(published), consumed_(consumed) {}
  log::Publisher& publish(std::string_view topic, log::Durability durability, storage::Store* store) override {
    published_.emplace_back(topic);
    return log_.publish(topic, durability, store);
  }
  log::Consumer& consume(log::ConsumeOptions options, storage::Store& store, log::ConsumeHandler handler) override {
    consumed_.push_back(options.topic);
    return log_.consume(std::move(options), store, std::move(handler));
  }
  log::Tail& tail(log::TailOptions options, log::TailHandler handler) override {
    consumed_.push_back(options.topic);
    return log_.tail(std::move(options), std::move(handler));
  }

 private:
  log::Log& log_;
  std::vector<std::string>& published_;
  std::vector<std::string>& consumed_;
};

PluginWiring::PluginWiring(const plugin::Manifest& manifest, log::Log& log, Metrics& metrics, OfferedObjects& offered)
    : manifest_(manifest),
      metrics_(metrics),
      offered_(offered),
      log_(std::make_unique<RecordingLog>(log, published_, consumed_)) {}
PluginWiring::~PluginWiring() = default;

http::Routes& PluginWiring::routes(http::Surface surface, http::Authenticator* authenticator) {
  return *route_faces_.emplace_back(std::make_unique<Routes>(routes_, surface, authenticator));
}

storage::Store& PluginWiring::store(plugin::StoreOptions options) {
  if (store_ != nullptr) throw std::logic_error("a plugin has one store");
  store_ = std::make_unique<StoreHandle>();
  store_options_ = std::move(options);
  return *store_;
}

log::Log& PluginWiring::log() { return *log_; }

void PluginWiring::adopt(std::unique_ptr<api::Interface> instance, plugin::Need need) {
  needs_.push_back({std::move(instance), need});
}

void PluginWiring::offer_object(std::string_view id, void* object) {
  offered_ids_.emplace_back(id);
  offered_.emplace(id, object);
}

void* PluginWiring::find_object(std::string_view id) {
  const auto it = offered_.find(id);
  return it == offered_.end() ? nullptr : it->second;
}

void PluginWiring::compare(Faults& faults) const {
  using List = std::vector<std::string>;
  const auto normal = [](List list) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    return list;
  };
  const auto check = [&](const char* what, const List& declared_list, const List& manifest_list) {
    const List declared = normal(declared_list), in_manifest = normal(manifest_list);
    List extra, missing;
    std::set_difference(declared.begin(), declared.end(), in_manifest.begin(), in_manifest.end(),
                        std::back_inserter(extra));
    std::set_difference(in_manifest.begin(), in_manifest.end(), declared.begin(), declared.end(),
                        std::back_inserter(missing));
    for (const auto& e : extra) {
      faults.push_back({"plugin " + manifest_.name + " " + what + " " + e + ", which its manifest does not say",
                        {},
                        "add it to plugin.json, or remove it from wire()",
                        {},
                        0});
    }
    for (const auto& m : missing) {
      faults.push_back({"plugin " + manifest_.name + " does not do what its manifest says: it " + what + " " + m,
                        {},
                        "add it to wire(), or remove it from plugin.json",
                        {},
                        0});
    }
  };
  for (const DeclaredNeed& n : needs_) {
    const auto said = std::find_if(manifest_.requires_.begin(), manifest_.requires_.end(),
                                   [&](const auto& r) { return r.interface_id == n.instance->id(); });
    if (said == manifest_.requires_.end() || said->need == n.need) continue;
    faults.push_back(
        {"plugin " + manifest_.name + " requires " + said->interface_id + " otherwise than its manifest says",
         "wire() says " + std::string(word(n.need)) + ", plugin.json says " + std::string(word(said->need)),
         "make them the same",
         {},
         0});
  }
  List provides, requires_declared, requires_manifest, publishes, consumes, routes;
  for (const api::Interface* i : provided_) provides.emplace_back(i->id());
  provides.insert(provides.end(), offered_ids_.begin(), offered_ids_.end());
  for (const auto& n : needs_) requires_declared.emplace_back(n.instance->id());
  for (const auto& r : manifest_.requires_) requires_manifest.push_back(r.interface_id);
  for (const auto& p : manifest_.publishes) publishes.push_back(p.topic);
  for (const auto& c : manifest_.consumes) consumes.push_back(c.topic);
  for (const auto& r : routes_) routes.push_back(std::string(http::to_string(r.method)) + " " + r.pattern);
  check("provides", provides, manifest_.provides);
  check("requires", requires_declared, requires_manifest);
  check("publishes", published_, publishes);
  check("consumes", consumed_, consumes);
  check("serves", routes, manifest_.routes);
}

}  // namespace backplane::host
