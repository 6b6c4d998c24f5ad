// user_api's rows. Every function runs inside work of the plugin's Store and throws storage::Failure as sessions do.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/api/user_api.h"
#include "backplane/storage/store.h"

namespace backplane::user_api {

struct Account {
  std::string localpart;
  std::optional<std::string> password_hash;
  bool admin = false;
  bool guest = false;
  bool deactivated = false;
};

struct TokenOwner {
  std::string localpart;
  DeviceId device;
  std::optional<std::int64_t> expires_ms;
};

namespace store {

std::optional<Account> find_account(storage::Session& session, std::string_view localpart);
void insert_account(storage::Write& write, const Account& account, std::int64_t now_ms);
void set_password(storage::Write& write, std::string_view localpart, const std::optional<std::string>& hash);
/// No password, no profile, no account data.
void deactivate_account(storage::Write& write, std::string_view localpart);

/// Keeps the device's name when it exists, and its address when `ip` is empty.
void upsert_device(storage::Write& write, std::string_view localpart, const DeviceId& device, const std::optional<std::string>& display_name,
                   std::string_view ip, std::int64_t now_ms);
std::vector<api::Device> list_devices(storage::Session& session, std::string_view localpart);
bool update_device(storage::Write& write, std::string_view localpart, const DeviceId& device, const std::optional<std::string>& display_name);
bool has_device(storage::Session& session, std::string_view localpart, const DeviceId& device);
/// With its tokens; whether it was there.
bool delete_device(storage::Write& write, std::string_view localpart, const DeviceId& device);
/// Access and refresh tokens of a device.
void delete_tokens(storage::Write& write, std::string_view localpart, const DeviceId& device);

/// Tokens are given as digests. A device has one of each: delete_tokens() first.
void set_access_token(storage::Write& write, std::string_view digest, const TokenOwner& owner);
std::optional<TokenOwner> find_access_token(storage::Session& session, std::string_view digest);
void set_refresh_token(storage::Write& write, std::string_view digest, const TokenOwner& owner);
std::optional<TokenOwner> find_refresh_token(storage::Session& session, std::string_view digest);
void insert_login_token(storage::Write& write, std::string_view digest, std::string_view localpart, std::int64_t expires_ms);
/// The localpart, once; nothing when it is unknown, used or past its time.
std::optional<std::string> take_login_token(storage::Write& write, std::string_view digest, std::int64_t now_ms);

/// displayname and avatar_url are text, in columns of their own.
bool is_text_field(std::string_view field);
std::optional<api::GetProfileResponse> find_profile(storage::Session& session, std::string_view localpart);
/// The new version; nothing when the value was that already. An empty value removes the field.
std::optional<std::int64_t> set_profile_field(storage::Write& write, std::string_view localpart, std::string_view field, std::string_view json);

std::optional<std::string> find_account_data(storage::Session& session, std::string_view localpart, const RoomId& room, std::string_view type);
void set_account_data(storage::Write& write, std::string_view localpart, const RoomId& room, std::string_view type, std::string_view content,
                      log::Position position);

}  // namespace store
}  // namespace backplane::user_api
