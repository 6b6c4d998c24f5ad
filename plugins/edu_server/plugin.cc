#include "backplane/plugin/entry.h"
#include "edu_service.h"
#include "migrations/migrations.h"

namespace backplane::edu_server {
namespace {

constexpr Duration cleaning_interval = std::chrono::minutes(10);

class EduServerPlugin final : public plugin::Plugin {
 public:
  explicit EduServerPlugin(plugin::Host& host) : host_(host) {}

  std::vector<std::string> configure(const plugin::Options& options) override {
    settings_ = {options.duration("typing_timeout"), options.duration("transaction_lifetime")};
    return {};
  }

  Result<void> wire(plugin::Wiring& wiring) override {
    using log::Durability;
    storage::Store& store = wiring.store({migrations()});
    log::Log& log = wiring.log();
    const Publishers publishers{log.publish(api::typing_topic, Durability::volatile_, nullptr),
                                log.publish(api::receipts_topic, Durability::durable, &store),
                                log.publish(api::send_to_device_topic, Durability::durable, &store)};
    const auto& rooms = wiring.require<api::RoomServer>();
    const auto& users = wiring.require<api::UserApi>();
    service_ = std::make_unique<EduService>(host_, settings_, store, publishers, rooms, users);
    wiring.provide(service_->interface());
    return {};
  }

  Result<void> start() override {
    host_.timers().every("forget_transactions", cleaning_interval, [this] { service_->forget_transactions(); });
    return {};
  }

 private:
  plugin::Host& host_;
  Settings settings_;
  std::unique_ptr<EduService> service_;
};

}  // namespace
}  // namespace backplane::edu_server

BACKPLANE_PLUGIN(backplane::edu_server::EduServerPlugin);
