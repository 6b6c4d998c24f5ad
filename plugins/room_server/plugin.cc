#include "backplane/plugin/plugin.h"

#include <atomic>
#include <memory>
#include <utility>

#include "backplane/plugin/entry.h"
#include "environment.h"
#include "input/input.h"
#include "input/retention.h"
#include "migrations/migrations.h"
#include "missing/missing_events.h"
#include "remote/remote_memberships.h"
#include "room_service.h"
#include "signing_key_file.h"

namespace backplane::room_server {
namespace {

constexpr std::string_view plugin_name = "room_server";
constexpr Duration min_history_lifetime = std::chrono::hours(1);

Meters register_meters(Metrics& metrics) {
  const auto rejected = [&](const char* reason) -> Counter& {
    return metrics.counter("events_rejected_total", "Drafts that did not become events.", {{"reason", reason}});
  };
  const auto purges = [&](const char* by) -> Counter& {
    return metrics.counter("purges_total", "Rooms whose history was to go, by what wanted it.", {{"by", by}});
  };
  return {metrics.counter("events_accepted_total", "Events that were made and queued for the disk."),
          rejected("auth_rules"),
          rejected("invalid"),
          metrics.counter("repeated_transactions_total", "Requests answered with the result of an earlier one."),
          metrics.counter("chains_broken_total", "Changes that were tried again because one before them failed."),
          purges("request"),
          purges("lifetime"),
          metrics.counter("events_purged_total", "Events that went with a room's history.")};
}

class RoomServerPlugin final : public plugin::Plugin {
 public:
  explicit RoomServerPlugin(plugin::Host& host) : host_(host) {}

  std::vector<std::string> configure(const plugin::Options& options) override {
    options_ = options;
    const Duration lifetime = options.duration("history_lifetime");
    if (lifetime == Duration(0) || lifetime >= min_history_lifetime) return {};
    return {"history_lifetime is less than an hour: set it to 1h or more, or to 0 to keep all history"};
  }

  Result<void> wire(plugin::Wiring& wiring) override {
    storage::Store& store = wiring.store({migrations(), storage::Sharing::sharded, checks()});
    log::Publisher& publisher = wiring.log().publish(api::room_events_topic, log::Durability::durable, &store);
    lanes_.emplace(store, static_cast<std::size_t>(options_.integer("head_cache")));
    bodies_.emplace(store, static_cast<std::size_t>(options_.integer("body_cache")));
    Metrics& metrics = wiring.metrics();
    environment_.reset(new Environment{ServerName(host_.server_name()), host_.clock(), host_.random(),
                                       host_.logger(plugin_name), store, publisher, *lanes_, *bodies_, transactions_,
                                       register_meters(metrics), options_.text("default_room_version"),
                                       options_.duration("transaction_lifetime")});
    const auto gauge = [&](const char* name, const char* help, MetricLabels labels, auto read) {
      metrics.computed_gauge(name, help, std::move(labels),
                             [this, read] { return static_cast<std::int64_t>(read(*this)); });
    };
    const char* const cache_help = "Bytes in use, by cache.";
    gauge("lanes_loaded", "Rooms whose state is in memory.", {}, [](auto& self) { return self.lanes_->loaded(); });
    gauge("cache_bytes", cache_help, {{"cache", "heads"}}, [](auto& self) { return self.lanes_->bytes(); });
    gauge("cache_bytes", cache_help, {{"cache", "bodies"}}, [](auto& self) { return self.bodies_->bytes(); });
    const OtherServers others{host_.worker_executor(), wiring.require<api::FederationSender>(plugin::Need::optional),
                              wiring.require<api::ServerKeyApi>(plugin::Need::optional)};
    missing_events_.emplace(*environment_, others,
                            metrics.counter("waiting_events_given_up_total",
                                            "Events of other servers that came before others which nobody had."));
    environment_->missing_events = &*missing_events_;
    remote_memberships_.emplace(*environment_, others);
    environment_->remote_memberships = &*remote_memberships_;
    bind(rooms_, *environment_);
    wiring.provide(rooms_);
    return {};
  }

  Result<void> start() override {
    std::string path = options_.text("signing_key_path");
    if (path.empty()) path = host_.data_folder(plugin_name) + "/signing.key";
    BACKPLANE_TRY(key, load_signing_key(path, host_.random()));
    environment_->logger.info("signing events", {{"key_id", key.key_id()}});
    environment_->signing_key.emplace(std::move(key));
    host_.timers().every("old_transactions", std::chrono::minutes(10), [this] { drop_old_transactions(); });
    host_.timers().every("purges", std::chrono::seconds(2), [this] { go_on_with_purges(); });
    host_.timers().every("deleted_rooms", std::chrono::seconds(2), [this] { sweep_deleted_rooms(); });
    host_.timers().every("waiting_events", std::chrono::seconds(15), [this] { missing_events_->wake_due(); });
    const RetentionRules rules{options_.duration("history_lifetime"), options_.boolean("history_lifetime_by_room")};
    retention_.emplace(*environment_, rules);
    if (!rules.keep_everything())
      host_.timers().every("retention", std::chrono::seconds(3), [this] { retention_->go_on(draining_); });
    return {};
  }

  void drain(Instant) override {
    draining_ = true;
    missing_events_->close();
    remote_memberships_->close();
  }

  void stop() override {
    missing_events_->stop();
    remote_memberships_->stop();
  }

 private:
  /// In steps, so that others get at the writer in between.
  void drop_old_transactions() {
    if (!environment_->store.ownership().leads()) return;  // one host is enough
    constexpr std::int64_t step = 1000;
    const auto lifetime = std::chrono::duration_cast<std::chrono::seconds>(environment_->transaction_lifetime).count();
    const std::int64_t before_s = environment_->clock.wall_ms() / 1000 - lifetime;
    for (std::int64_t dropped = step; dropped == step;) {
      auto result = environment_->store.write(
          [&](storage::Write& write) { return tables::delete_transactions(write, before_s, step); });
      if (!result) return environment_->logger.warning("old transactions stay", {{"error", result.error().text}});
      dropped = *result;
    }
  }

  /// Of rooms that are owned here.
  void go_on_with_purges() {
    auto purges = environment_->store.read([](storage::Session& session) {
      std::vector<std::pair<RoomRow, tables::PurgeRow>> found;
      for (tables::PurgeRow& purge : tables::list_purges(session)) {
        if (auto room = tables::find_room(session, purge.room)) found.emplace_back(std::move(*room), purge);
      }
      return found;
    });
    if (!purges) return environment_->logger.warning("purges wait", {{"error", purges.error().text}});
    for (auto& [room, purge] : *purges) {
      for (bool more = true; more && !draining_;) {
        auto result = continue_purge(*environment_, room, purge);
        if (!result && result.error().reason != "not_owner")
          environment_->logger.warning("a purge waits",
                                       {{"room_id", room.room_id.view()}, {"error", result.error().text}});
        more = result && *result;
      }
    }
  }

  void sweep_deleted_rooms() {
    if (!environment_->store.ownership().leads()) return;
    constexpr std::int64_t step = 500;
    const auto rooms =
        environment_->store.read([](storage::Session& session) { return tables::list_deleted_rooms(session); });
    if (!rooms) return environment_->logger.warning("deleted rooms stay", {{"error", rooms.error().text}});
    for (const RoomNumber room : *rooms) {
      for (bool more = true; more;) {
        if (draining_) return;  // goes on after the start
        auto result =
            environment_->store.write([&](storage::Write& write) { return tables::delete_rows(write, room, step); });
        if (!result) return environment_->logger.warning("a deleted room stays", {{"error", result.error().text}});
        more = *result;
      }
      environment_->logger.info("a deleted room is gone", {{"number", room}});
    }
  }

  plugin::Host& host_;
  std::atomic<bool> draining_ = false;
  plugin::Options options_;
  std::optional<Lanes> lanes_;
  std::optional<BodyCache> bodies_;
  Transactions transactions_;
  std::unique_ptr<Environment> environment_;
  std::optional<MissingEvents> missing_events_;
  std::optional<RemoteMemberships> remote_memberships_;
  std::optional<Retention> retention_;  // from start() on
  api::RoomServer rooms_;
};

}  // namespace
}  // namespace backplane::room_server

BACKPLANE_PLUGIN(backplane::room_server::RoomServerPlugin);
