#include "auth/interactive_auth.h"
#include "backplane/plugin/entry.h"
#include "components.h"
#include "migrations/migrations.h"
#include "profile_job/profile_job.h"
#include "routes/routes.h"

namespace backplane::client_api {
namespace {

constexpr std::size_t snapshot_page = 500;

class ClientApiPlugin final : public plugin::Plugin {
 public:
  explicit ClientApiPlugin(plugin::Host& host) : host_(host), interactive_auth_(host.clock(), host.random()) {}

  std::vector<std::string> configure(const plugin::Options& options) override {
    settings_ = {options.boolean("password_login"), options.boolean("token_login"), options.text("identity_server")};
    return {};
  }

  Result<void> wire(plugin::Wiring& wiring) override {
    auto& users = wiring.require<api::UserApi>();
    auto& rooms = wiring.require<api::RoomServer>();
    auto& edus = wiring.require<api::EduServer>(plugin::Need::optional);
    storage::Store& store = wiring.store({migrations(), storage::Sharing::led});
    authenticator_ = std::make_unique<api::TokenAuthenticator>(host_, wiring, users);
    profile_job_ = std::make_unique<ProfileJob>(host_, store, rooms);
    components_.reset(new Components{host_, settings_, users, rooms, edus, interactive_auth_, *profile_job_});
    follow_memberships(wiring.log(), store, rooms);
    add_routes(wiring.routes(http::Surface::client, authenticator_.get()));
    return {};
  }

  Result<void> start() override {
    profile_job_->start();
    return {};
  }
  void stop() override { profile_job_->stop(); }

 private:
  void follow_memberships(log::Log& log, storage::Store& store, const api::RoomServer& rooms) {
    log::ConsumeOptions options;
    options.topic = api::room_events_topic;
    options.group = "client_api";
    options.linger = std::chrono::milliseconds(500);
    options.snapshot = [this, &rooms](const log::Positions& after) { return load_memberships(rooms, after); };
    options.reset = [](storage::Write& write) { write.execute("DELETE FROM memberships"); };
    log.consume(std::move(options), store, [this](storage::Write& write, const log::Record& record) {
      return profile_job_->consume(write, record);
    });
  }

  Result<log::SnapshotPage> load_memberships(const api::RoomServer& rooms, const log::Positions& after) {
    const api::CallContext context{.deadline = host_.clock().now() + std::chrono::minutes(1), .caller = "client_api"};
    BACKPLANE_TRY(page, rooms.list_room_events(context, {after.encode(), snapshot_page}));
    log::SnapshotPage out;
    for (api::SnapshotRecord& record : page.records) {
      out.records.push_back({std::string(api::room_events_topic), record.position, std::move(record.key),
                             std::move(record.payload.text), 0, 0});
    }
    out.last = page.last;
    out.as_of = log::Positions::decode(page.as_of).value_or(log::Positions());
    return out;
  }

  void add_routes(http::Routes& routes) {
    for (const auto add :
         {add_discovery_routes, add_registration_routes, add_login_routes, add_account_routes, add_device_routes,
          add_profile_routes, add_account_data_routes, add_room_creation_routes, add_membership_routes,
          add_sending_routes, add_room_state_routes, add_directory_routes, add_ephemeral_routes, add_to_device_routes,
          add_push_rule_routes, add_administration_routes}) {
      add(routes, *components_);
    }
  }

  plugin::Host& host_;
  Settings settings_;
  InteractiveAuth interactive_auth_;
  std::unique_ptr<api::TokenAuthenticator> authenticator_;
  std::unique_ptr<ProfileJob> profile_job_;
  std::unique_ptr<Components> components_;
};

}  // namespace
}  // namespace backplane::client_api

BACKPLANE_PLUGIN(backplane::client_api::ClientApiPlugin);
