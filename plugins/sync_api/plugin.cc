// The life of the plugin; what it does is in sync/, tail/, index/ and routes/.
#include <memory>
#include <optional>

#include "backplane/api/session.h"
#include "backplane/plugin/entry.h"
#include "index/indexers.h"
#include "migrations/migrations.h"
#include "routes/routes.h"

namespace backplane::sync_api {
namespace {

constexpr Duration sweep_interval = std::chrono::seconds(1);

class SyncApiPlugin final : public plugin::Plugin {
 public:
  explicit SyncApiPlugin(plugin::Host& host) : host_(host), log_(host.logger("sync_api")) {}

  std::vector<std::string> configure(const plugin::Options& options) override {
    assembler_options_.max_limit = static_cast<std::uint32_t>(options.integer("timeline_limit"));
    sync_options_.max_timeout = options.duration("max_timeout");
    linger_ = options.duration("index_linger");
    limits_.tail_entries = static_cast<std::size_t>(options.integer("tail_entries"));
    limits_.tail_bytes = static_cast<std::size_t>(options.integer("tail_memory"));
    event_bytes_ = static_cast<std::size_t>(options.integer("event_memory"));
    return {};
  }

  Result<void> wire(plugin::Wiring& wiring) override {
    auto& rooms = wiring.require<api::RoomServer>();
    auto& users = wiring.require<api::UserApi>();
    auto& edus = wiring.require<api::EduServer>();
    storage::Store& store = wiring.store({migrations(), storage::Sharing::led});
    events_.emplace(rooms, event_bytes_);
    model_.emplace(store, *events_, host_.clock(), log_, limits_);
    assembler_.emplace(*model_, *events_, store, host_.clock(), log_, assembler_options_);
    sync_.emplace(host_, *model_, *assembler_, store, log_, sync_options_);
    model_->set_wake([this](std::vector<ParkedPtr> polls) { sync_->wake(std::move(polls)); });
    model_->connect(subscribe(wiring.log(), store, *model_, {rooms, users, edus}, host_.clock(), linger_, log_));

    authenticator_.emplace(host_, wiring, users);
    pages_.emplace(host_, rooms);
    reader_.emplace(Reader{host_, store, *model_, *events_, *sync_, *pages_});
    http::Routes& routes = wiring.routes(http::Surface::client, &*authenticator_);
    for (auto* add : {add_sync, add_messages, add_context, add_event, add_members, add_filters}) add(routes, *reader_);
    declare_metrics(wiring.metrics());
    return {};
  }

  Result<void> start() override {
    host_.timers().every("sweep", sweep_interval, [this] { model_->sweep(); });
    return {};
  }

  void drain(Instant) override {
    sync_->drain();
    pages_->drain();
  }
  void stop() override { pages_->stop(); }

 private:
  void declare_metrics(Metrics& metrics) {
    const auto gauge = [&](std::string_view name, std::string_view help, std::size_t ReadModel::Sizes::*size) {
      metrics.computed_gauge(name, help, {}, [this, size] { return static_cast<std::int64_t>(model_->sizes().*size); });
    };
    gauge("active_users", "users with a session that was heard of lately", &ReadModel::Sizes::users);
    gauge("active_rooms", "rooms of active users", &ReadModel::Sizes::rooms);
    gauge("room_tails", "rooms whose end is in memory", &ReadModel::Sizes::tails);
    gauge("room_tail_bytes", "memory of the ends of rooms", &ReadModel::Sizes::tail_bytes);
    gauge("parked_syncs", "syncs that wait", &ReadModel::Sizes::parked);
    gauge("unindexed_records", "room records in memory that the index does not hold yet", &ReadModel::Sizes::recent);
    metrics.computed_gauge("event_cache_bytes", "memory of cached events", {},
                           [this] { return static_cast<std::int64_t>(events_->bytes()); });
  }

  plugin::Host& host_;
  Logger log_;
  AssemblerOptions assembler_options_;
  SyncOptions sync_options_;
  ReadModel::Limits limits_;
  Duration linger_{};
  std::size_t event_bytes_ = 0;
  std::optional<EventCache> events_;
  std::optional<ReadModel> model_;
  std::optional<Assembler> assembler_;
  std::optional<SyncService> sync_;
  std::optional<ParkedPages> pages_;
  std::optional<api::TokenAuthenticator> authenticator_;
  std::optional<Reader> reader_;
};

}  // namespace
}  // namespace backplane::sync_api

BACKPLANE_PLUGIN(backplane::sync_api::SyncApiPlugin);
