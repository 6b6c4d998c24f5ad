// backplane.user_api: accounts, devices, access tokens, profiles and account data of this server's users; and what it
// publishes: `client_data` (durable, by user) and `sessions` (durable, by user).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "backplane/api/method.h"
#include "backplane/log/position.h"
#include "backplane/matrix/ids.h"

namespace backplane::api {

struct RegisterAccountRequest {
  std::string localpart;                ///< empty: one is made up
  std::optional<std::string> password;  ///< none: the account cannot log in with one
  bool admin = false;
  bool guest = false;
  std::string registration_token;  ///< when config asks for one
  bool inhibit_login = false;
  DeviceId device_id;  ///< empty: one is made up
  std::optional<std::string> device_display_name;
  bool refresh_token = false;
  bool by_operator = false;  ///< `users create`: config's rules for the public do not apply
};
BACKPLANE_FIELDS(RegisterAccountRequest, localpart, password, admin, guest, registration_token, inhibit_login,
                 device_id, device_display_name, refresh_token, by_operator);

/// The answer to a registration or a login.
struct LogInResponse {
  UserId user_id;
  DeviceId device_id;  ///< empty when nobody was logged in
  AccessToken access_token;
  std::optional<std::string> refresh_token;
  std::optional<std::int64_t> expires_in_ms;
};
BACKPLANE_FIELDS(LogInResponse, user_id, device_id, access_token, refresh_token, expires_in_ms);

struct CheckLocalpartRequest {
  std::string localpart;
};
BACKPLANE_FIELDS(CheckLocalpartRequest, localpart);

struct CheckRegistrationTokenRequest {
  std::string token;
};
BACKPLANE_FIELDS(CheckRegistrationTokenRequest, token);
struct CheckRegistrationTokenResponse {
  bool valid = false;
};
BACKPLANE_FIELDS(CheckRegistrationTokenResponse, valid);

struct RegistrationRules {
  bool open = false;            ///< anyone may register
  bool token_required = false;  ///< m.login.registration_token
  bool guests = false;
};
BACKPLANE_FIELDS(RegistrationRules, open, token_required, guests);

struct LogInRequest {
  std::string user;                        ///< localpart or user id
  std::optional<std::string> password;     ///< m.login.password
  std::optional<std::string> login_token;  ///< m.login.token
  DeviceId device_id;
  std::optional<std::string> device_display_name;
  bool refresh_token = false;
  std::string remote_address;  ///< what login limits count by, with the user
};
BACKPLANE_FIELDS(LogInRequest, user, password, login_token, device_id, device_display_name, refresh_token,
                 remote_address);

struct RefreshRequest {
  std::string refresh_token;
};
BACKPLANE_FIELDS(RefreshRequest, refresh_token);

struct CreateLoginTokenRequest {
  UserId user;
};
BACKPLANE_FIELDS(CreateLoginTokenRequest, user);
struct CreateLoginTokenResponse {
  std::string login_token;
  std::int64_t expires_in_ms = 0;
};
BACKPLANE_FIELDS(CreateLoginTokenResponse, login_token, expires_in_ms);

struct VerifyAccessTokenRequest {
  AccessToken token;
};
BACKPLANE_FIELDS(VerifyAccessTokenRequest, token);
struct VerifyAccessTokenResponse {
  UserId user;
  DeviceId device;
  bool guest = false;
  bool admin = false;
  std::optional<std::int64_t> expires_ms;  ///< wall clock
};
BACKPLANE_FIELDS(VerifyAccessTokenResponse, user, device, guest, admin, expires_ms);

struct VerifyPasswordRequest {
  UserId user;
  std::string password;
  std::string remote_address;
};
BACKPLANE_FIELDS(VerifyPasswordRequest, user, password, remote_address);
struct ChangePasswordRequest {
  UserId user;
  std::string new_password;
  bool logout_devices = true;
  DeviceId keep_device;
};
BACKPLANE_FIELDS(ChangePasswordRequest, user, new_password, logout_devices, keep_device);
struct DeactivateRequest {
  UserId user;
  bool erase = false;
};
BACKPLANE_FIELDS(DeactivateRequest, user, erase);

struct Device {
  DeviceId device_id;
  std::optional<std::string> display_name;
  std::string last_seen_ip;
  std::int64_t last_seen_ms = 0;
};
BACKPLANE_FIELDS(Device, device_id, display_name, last_seen_ip, last_seen_ms);
struct ListDevicesRequest {
  UserId user;
};
BACKPLANE_FIELDS(ListDevicesRequest, user);
struct ListDevicesResponse {
  std::vector<Device> devices;
};
BACKPLANE_FIELDS(ListDevicesResponse, devices);
struct UpdateDeviceRequest {
  UserId user;
  DeviceId device_id;
  std::optional<std::string> display_name;
};
BACKPLANE_FIELDS(UpdateDeviceRequest, user, device_id, display_name);
/// Removes devices and their tokens. `all` but `keep`.
struct DeleteDevicesRequest {
  UserId user;
  std::vector<DeviceId> device_ids;
  bool all = false;
  DeviceId keep;
};
BACKPLANE_FIELDS(DeleteDevicesRequest, user, device_ids, all, keep);

/// A profile's fields, each as JSON (Client-Server API, "Profiles"); `displayname` and `avatar_url` are strings.
struct GetProfileRequest {
  UserId user;
};
BACKPLANE_FIELDS(GetProfileRequest, user);
struct GetProfileResponse {
  std::optional<std::string> displayname;
  std::optional<std::string> avatar_url;
  std::map<std::string, json::Raw> other;
  std::int64_t version = 0;  ///< grows with every change
};
BACKPLANE_FIELDS(GetProfileResponse, displayname, avatar_url, other, version);
struct SetProfileFieldRequest {
  UserId user;
  std::string field;
  json::Raw value; /* empty: remove */
};
BACKPLANE_FIELDS(SetProfileFieldRequest, user, field, value);
struct SetProfileFieldResponse {
  bool changed = false;
  std::int64_t version = 0;
};
BACKPLANE_FIELDS(SetProfileFieldResponse, changed, version);

/// Global account data has an empty room.
struct AccountDataRequest {
  UserId user;
  RoomId room;
  std::string type;
};
BACKPLANE_FIELDS(AccountDataRequest, user, room, type);
struct AccountDataResponse {
  json::Raw content;
};
BACKPLANE_FIELDS(AccountDataResponse, content);
struct SetAccountDataRequest {
  UserId user;
  RoomId room;
  std::string type;
  json::Raw content;
};
BACKPLANE_FIELDS(SetAccountDataRequest, user, room, type, content);
/// Changes one tag of m.tag atomically. `content` empty: removes it.
struct ChangeTagRequest {
  UserId user;
  RoomId room;
  std::string tag;
  json::Raw content;
};
BACKPLANE_FIELDS(ChangeTagRequest, user, room, tag, content);
struct PositionResponse {
  log::Position position;
};
BACKPLANE_FIELDS(PositionResponse, position);

/// Pages of what a topic's producer holds (log/log.h, SnapshotPage). `after` in Positions::encode form.
struct ListRecordsRequest {
  std::string after;
  std::uint32_t limit = 500;
};
BACKPLANE_FIELDS(ListRecordsRequest, after, limit);
struct SnapshotRecord {
  std::string key;
  log::Position position;
  json::Raw payload;
};
BACKPLANE_FIELDS(SnapshotRecord, key, position, payload);
struct ListRecordsResponse {
  std::vector<SnapshotRecord> records;
  bool last = true;
  std::string as_of;
};
BACKPLANE_FIELDS(ListRecordsResponse, records, last, as_of);

struct BACKPLANE_API UserApi : Interface {
  static constexpr std::string_view interface_id = "backplane.user_api/1";
  UserApi();
  ~UserApi() override;

  Method<Nothing, RegistrationRules> get_registration_rules{*this, "get_registration_rules", {.repeatable = true}};
  /// Errors: conflict/user_in_use, invalid/invalid_username, denied/registration_disabled,
  /// denied/bad_registration_token.
  Method<RegisterAccountRequest, LogInResponse> register_account{*this, "register_account"};
  /// Errors as register_account.
  Method<CheckLocalpartRequest, Nothing> check_localpart{*this, "check_localpart", {.repeatable = true}};
  Method<CheckRegistrationTokenRequest, CheckRegistrationTokenResponse> check_registration_token{
      *this, "check_registration_token", {.repeatable = true}};
  /// Errors: denied/bad_credentials, denied/user_deactivated, unavailable/limit_exceeded (with retry_after_ms).
  Method<LogInRequest, LogInResponse> log_in{*this, "log_in"};
  /// Errors: denied/unknown_token.
  Method<RefreshRequest, LogInResponse> refresh{*this, "refresh"};
  Method<CreateLoginTokenRequest, CreateLoginTokenResponse> create_login_token{*this, "create_login_token"};
  /// Errors: denied/unknown_token, with soft_logout when the token has merely expired.
  Method<VerifyAccessTokenRequest, VerifyAccessTokenResponse> verify_access_token{
      *this, "verify_access_token", {.repeatable = true}};
  /// Errors: denied/bad_credentials, unavailable/limit_exceeded.
  Method<VerifyPasswordRequest, Nothing> verify_password{*this, "verify_password"};
  Method<ChangePasswordRequest, Nothing> change_password{*this, "change_password", {.repeatable = true}};
  Method<DeactivateRequest, Nothing> deactivate{*this, "deactivate", {.repeatable = true}};

  Method<ListDevicesRequest, ListDevicesResponse> list_devices{*this, "list_devices", {.repeatable = true}};
  /// Errors: not_found.
  Method<UpdateDeviceRequest, Nothing> update_device{*this, "update_device", {.repeatable = true}};
  Method<DeleteDevicesRequest, Nothing> delete_devices{*this, "delete_devices", {.repeatable = true}};

  /// Errors: not_found when this server has no such user.
  Method<GetProfileRequest, GetProfileResponse> get_profile{*this, "get_profile", {.repeatable = true}};
  Method<SetProfileFieldRequest, SetProfileFieldResponse> set_profile_field{
      *this, "set_profile_field", {.repeatable = true}};

  /// Errors: not_found.
  Method<AccountDataRequest, AccountDataResponse> get_account_data{*this, "get_account_data", {.repeatable = true}};
  Method<SetAccountDataRequest, PositionResponse> set_account_data{*this, "set_account_data", {.repeatable = true}};
  Method<ChangeTagRequest, PositionResponse> change_tag{*this, "change_tag", {.repeatable = true}};
  /// The snapshot of topic client_data.
  Method<ListRecordsRequest, ListRecordsResponse> list_client_data{*this, "list_client_data", {.repeatable = true}};
};

/// Topic client_data, log 1; key: the user.
struct ClientDataRecord {
  UserId user;
  RoomId room;  ///< empty: global
  std::string type;
  json::Raw content;
};
BACKPLANE_FIELDS(ClientDataRecord, user, room, type, content);
inline constexpr std::string_view client_data_topic = "client_data";

/// Topic sessions; key: the user. Tokens of these devices are worth nothing from here on.
struct SessionsRecord {
  UserId user;
  std::vector<DeviceId> devices;
  bool all = false;  ///< of the user, whatever is in `devices`
};
BACKPLANE_FIELDS(SessionsRecord, user, devices, all);
inline constexpr std::string_view sessions_topic = "sessions";

}  // namespace backplane::api
