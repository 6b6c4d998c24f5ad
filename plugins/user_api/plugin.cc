#include "backplane/plugin/entry.h"
#include "migrations/migrations.h"
#include "user_service.h"

namespace backplane::user_api {
namespace {

class UserApiPlugin final : public plugin::Plugin {
 public:
  explicit UserApiPlugin(plugin::Host& host) : host_(host) {}

  std::vector<std::string> configure(const plugin::Options& options) override {
    const std::string& registration = options.text("registration");
    settings_.open = registration == "open";
    settings_.token_required = registration == "token";
    settings_.registration_tokens = options.list("registration_tokens");
    settings_.guests = options.boolean("guests");
    settings_.minimum_password_length = options.integer("minimum_password_length");
    settings_.access_token_lifetime = options.duration("access_token_lifetime");
    settings_.login_token_lifetime = options.duration("login_token_lifetime");
    settings_.failed_logins = options.integer("failed_logins");
    cost_.memory_bytes = static_cast<std::size_t>(options.integer("password_hash_memory"));
    cost_.passes = static_cast<unsigned>(options.integer("password_hash_passes"));
    return {};
  }

  Result<void> wire(plugin::Wiring& wiring) override {
    storage::Store& store = wiring.store({migrations()});
    log::Publisher& client_data = wiring.log().publish(api::client_data_topic, log::Durability::durable, &store);
    log::Publisher& sessions = wiring.log().publish(api::sessions_topic, log::Durability::durable, &store);
    service_ = std::make_unique<UserService>(host_, settings_, cost_, store, client_data, sessions);
    wiring.provide(service_->interface());
    return {};
  }

 private:
  plugin::Host& host_;
  Settings settings_;
  PasswordCost cost_;
  std::unique_ptr<UserService> service_;
};

}  // namespace
}  // namespace backplane::user_api

BACKPLANE_PLUGIN(backplane::user_api::UserApiPlugin);
