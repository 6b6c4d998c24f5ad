// user_api's implementation of api::UserApi: binds each method to the verb that answers it. One instance a plugin;
// its verbs may run on any thread.
#pragma once

#include <optional>
#include <string>

#include "accounts/login_limits.h"
#include "accounts/passwords.h"
#include "backplane/api/user_api.h"
#include "backplane/plugin/plugin.h"
#include "store.h"

namespace backplane::user_api {

struct Settings {
  bool open = false;
  bool token_required = true;
  bool guests = false;
  std::vector<std::string> registration_tokens;
  std::int64_t minimum_password_length = 8;
  Duration access_token_lifetime{};
  Duration login_token_lifetime{};
  std::int64_t failed_logins = 10;
};

class UserService {
 public:
  UserService(plugin::Host& host, const Settings& settings, PasswordCost cost, storage::Store& store, log::Publisher& client_data,
              log::Publisher& sessions);
  UserService(const UserService&) = delete;
  UserService& operator=(const UserService&) = delete;

  api::UserApi& interface() { return interface_; }

 private:
  // accounts/
  Result<api::LogInResponse> register_account(const api::RegisterAccountRequest& request);
  Result<void> check_localpart(std::string_view localpart, bool may_be_digits) const;
  Result<void> check_registration_rules(const api::RegisterAccountRequest& request) const;
  bool is_registration_token(std::string_view token) const;
  Result<api::Nothing> verify_password(const api::VerifyPasswordRequest& request);
  Result<Account> check_password(std::string_view localpart, const std::string& password, const std::string& remote_address);
  Result<api::Nothing> change_password(const api::ChangePasswordRequest& request);
  Result<api::Nothing> deactivate(const api::DeactivateRequest& request);
  // sessions/
  Result<api::LogInResponse> log_in(const api::LogInRequest& request);
  Result<api::LogInResponse> refresh(const api::RefreshRequest& request);
  Result<api::CreateLoginTokenResponse> create_login_token(const api::CreateLoginTokenRequest& request);
  Result<api::VerifyAccessTokenResponse> verify_access_token(const api::VerifyAccessTokenRequest& request);
  Result<api::Nothing> delete_devices(const api::DeleteDevicesRequest& request);
  /// Makes the device and its tokens, inside the write.
  api::LogInResponse open_session(storage::Write& write, std::string_view localpart, const DeviceId& wanted,
                                  const std::optional<std::string>& display_name, bool with_refresh_token, std::string_view address);
  /// Removes devices and tells the other hosts, inside the write.
  void close_sessions(storage::Write& write, std::string_view localpart, const std::vector<DeviceId>& devices, bool all);
  // profiles/
  Result<api::GetProfileResponse> get_profile(const api::GetProfileRequest& request);
  Result<api::SetProfileFieldResponse> set_profile_field(const api::SetProfileFieldRequest& request);
  // account_data/
  Result<api::AccountDataResponse> get_account_data(const api::AccountDataRequest& request);
  Result<api::PositionResponse> set_account_data(const api::SetAccountDataRequest& request);
  Result<api::PositionResponse> change_tag(const api::ChangeTagRequest& request);
  Result<api::ListRecordsResponse> list_client_data(const api::ListRecordsRequest& request);
  log::Position store_account_data(storage::Write& write, const UserId& user, const RoomId& room, const std::string& type, json::Raw content);

  void bind();
  /// The localpart of a user of this server; an error for others.
  Result<std::string> local(const UserId& user) const;
  UserId user_id(std::string_view localpart) const;

  plugin::Host& host_;
  Settings settings_;
  ServerName server_name_;
  Passwords passwords_;
  LoginLimits limits_;
  storage::Store& store_;
  log::Publisher& client_data_;
  log::Publisher& sessions_;
  api::UserApi interface_;
};

/// What is stored of a token.
std::string token_digest(std::string_view token);

}  // namespace backplane::user_api
