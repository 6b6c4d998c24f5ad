#include "user_service.h"

#include "backplane/base/encoding.h"

namespace backplane::user_api {

std::string token_digest(std::string_view token) { return hex(as_text(sha256(token))); }

UserService::UserService(plugin::Host& host, const Settings& settings, PasswordCost cost, storage::Store& store, log::Publisher& client_data,
                         log::Publisher& sessions)
    : host_(host),
      settings_(settings),
      server_name_(host.server_name()),
      passwords_(host.cpu_executor(), cost),
      limits_(host.clock(), settings.failed_logins),
      store_(store),
      client_data_(client_data),
      sessions_(sessions) {
  bind();
}

void UserService::bind() {
  using api::CallContext;
  const auto to = [this](auto method) {
    return [this, method](const CallContext&, const auto& request) { return (this->*method)(request); };
  };
  interface_.get_registration_rules.bind([this](const CallContext&, const api::Nothing&) -> Result<api::RegistrationRules> {
    return api::RegistrationRules{settings_.open, settings_.token_required, settings_.guests};
  });
  interface_.check_localpart.bind([this](const CallContext&, const api::CheckLocalpartRequest& request) -> Result<api::Nothing> {
    BACKPLANE_CHECK(check_localpart(request.localpart, false));
    return api::Nothing{};
  });
  interface_.check_registration_token.bind(
      [this](const CallContext&, const api::CheckRegistrationTokenRequest& request) -> Result<api::CheckRegistrationTokenResponse> {
        return api::CheckRegistrationTokenResponse{is_registration_token(request.token)};
      });
  interface_.list_devices.bind([this](const CallContext&, const api::ListDevicesRequest& request) -> Result<api::ListDevicesResponse> {
    BACKPLANE_TRY(localpart, local(request.user));
    return store_.read([&](storage::Session& session) { return api::ListDevicesResponse{store::list_devices(session, localpart)}; });
  });
  interface_.update_device.bind([this](const CallContext&, const api::UpdateDeviceRequest& request) -> Result<api::Nothing> {
    BACKPLANE_TRY(localpart, local(request.user));
    return store_.write([&](storage::Write& write) -> Result<api::Nothing> {
      if (!store::update_device(write, localpart, request.device_id, request.display_name)) return not_found("", "there is no such device");
      return api::Nothing{};
    });
  });
  interface_.register_account.bind(to(&UserService::register_account));
  interface_.log_in.bind(to(&UserService::log_in));
  interface_.refresh.bind(to(&UserService::refresh));
  interface_.create_login_token.bind(to(&UserService::create_login_token));
  interface_.verify_access_token.bind(to(&UserService::verify_access_token));
  interface_.verify_password.bind(to(&UserService::verify_password));
  interface_.change_password.bind(to(&UserService::change_password));
  interface_.deactivate.bind(to(&UserService::deactivate));
  interface_.delete_devices.bind(to(&UserService::delete_devices));
  interface_.get_profile.bind(to(&UserService::get_profile));
  interface_.set_profile_field.bind(to(&UserService::set_profile_field));
  interface_.get_account_data.bind(to(&UserService::get_account_data));
  interface_.set_account_data.bind(to(&UserService::set_account_data));
  interface_.change_tag.bind(to(&UserService::change_tag));
  interface_.list_client_data.bind(to(&UserService::list_client_data));
}

Result<std::string> UserService::local(const UserId& user) const {
  if (!matrix::is_on_server(user.view(), server_name_)) return not_found("", user.str() + " is not a user of this server");
  return std::string(matrix::localpart(user));
}

UserId UserService::user_id(std::string_view localpart) const {
  return UserId("@" + std::string(localpart) + ":" + server_name_.str());
}

}  // namespace backplane::user_api
