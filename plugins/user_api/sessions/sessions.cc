#include "backplane/base/encoding.h"
#include "user_service.h"

namespace backplane::user_api {
namespace {

constexpr std::size_t token_length = 43;  // 256 bits of letters and digits
constexpr std::string_view device_letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

std::int64_t milliseconds(Duration d) { return std::chrono::duration_cast<std::chrono::milliseconds>(d).count(); }

}  // namespace

api::LogInResponse UserService::open_session(storage::Write& write, std::string_view localpart, const DeviceId& wanted,
                                             const std::optional<std::string>& display_name, bool with_refresh_token, std::string_view address) {
  api::LogInResponse answer;
  answer.user_id = user_id(localpart);
  answer.device_id = wanted.empty() ? DeviceId(host_.random().text(10, device_letters)) : wanted;
  answer.access_token = AccessToken("bp_" + host_.random().text(token_length));
  const std::int64_t now_ms = host_.clock().wall_ms();
  TokenOwner owner{std::string(localpart), answer.device_id, std::nullopt};
  // A log-in on a device that is there makes its old tokens void: those who keep them must drop them. The refresh token
  // goes too, or whoever has it could take the session over.
  const bool replaced = !wanted.empty() && store::has_device(write, localpart, wanted);
  store::delete_tokens(write, localpart, answer.device_id);
  store::upsert_device(write, localpart, answer.device_id, display_name, address, now_ms);
  if (replaced) sessions_.publish(write, answer.user_id.view(), to_json(api::SessionsRecord{answer.user_id, {answer.device_id}, false}));
  if (with_refresh_token) {
    answer.refresh_token = "bpr_" + host_.random().text(token_length);
    answer.expires_in_ms = milliseconds(settings_.access_token_lifetime);
    owner.expires_ms = now_ms + *answer.expires_in_ms;
    store::set_refresh_token(write, token_digest(*answer.refresh_token), owner);
  }
  store::set_access_token(write, token_digest(answer.access_token.view()), owner);
  return answer;
}

void UserService::close_sessions(storage::Write& write, std::string_view localpart, const std::vector<DeviceId>& devices, bool all) {
  // Devices that are not there are no news: a client may name any.
  std::vector<DeviceId> gone;
  for (const DeviceId& device : devices) {
    if (store::delete_device(write, localpart, device)) gone.push_back(device);
  }
  if (gone.empty() && !all) return;
  const UserId user = user_id(localpart);
  sessions_.publish(write, user.view(), to_json(api::SessionsRecord{user, std::move(gone), all}));
}

Result<api::LogInResponse> UserService::log_in(const api::LogInRequest& request) {
  std::string localpart = request.user;
  if (localpart.starts_with('@')) {
    BACKPLANE_TRY(user, matrix::parse_user_id(localpart));
    auto mine = local(user);
    if (!mine) return denied("bad_credentials", "the user name or the password is wrong");
    localpart = std::move(*mine);
  }
  if (request.password) BACKPLANE_CHECK(check_password(localpart, *request.password, request.remote_address));
  else if (!request.login_token) return invalid("missing_param", "neither a password nor a token was given");
  return store_.write([&](storage::Write& write) -> Result<api::LogInResponse> {
    if (request.login_token) {
      auto owner = store::take_login_token(write, token_digest(*request.login_token), host_.clock().wall_ms());
      if (!owner) return denied("bad_credentials", "the login token is not valid");
      localpart = std::move(*owner);
    }
    // Between the check of the password and here, the account may have been deactivated.
    const auto account = store::find_account(write, localpart);
    if (!account || account->deactivated) return denied("user_deactivated", "this account is deactivated");
    return open_session(write, localpart, request.device_id, request.device_display_name, request.refresh_token, request.remote_address);
  });
}

Result<api::LogInResponse> UserService::refresh(const api::RefreshRequest& request) {
  return store_.write([&](storage::Write& write) -> Result<api::LogInResponse> {
    const auto owner = store::find_refresh_token(write, token_digest(request.refresh_token));
    if (!owner) return denied("unknown_token", "the refresh token is not known");
    return open_session(write, owner->localpart, owner->device, std::nullopt, true, "");
  });
}

Result<api::CreateLoginTokenResponse> UserService::create_login_token(const api::CreateLoginTokenRequest& request) {
  BACKPLANE_TRY(localpart, local(request.user));
  api::CreateLoginTokenResponse answer{"bpl_" + host_.random().text(token_length), milliseconds(settings_.login_token_lifetime)};
  return store_.write([&](storage::Write& write) {
    store::insert_login_token(write, token_digest(answer.login_token), localpart, host_.clock().wall_ms() + answer.expires_in_ms);
    return answer;
  });
}

Result<api::VerifyAccessTokenResponse> UserService::verify_access_token(const api::VerifyAccessTokenRequest& request) {
  const std::string digest = token_digest(request.token.view());
  return store_.read([&](storage::Session& session) -> Result<api::VerifyAccessTokenResponse> {
    auto owner = store::find_access_token(session, digest);
    if (!owner) return denied("unknown_token", "the access token is not known");
    if (owner->expires_ms && *owner->expires_ms <= host_.clock().wall_ms()) {
      return denied("unknown_token", "the access token has expired").with_json("soft_logout", "true");
    }
    const auto account = store::find_account(session, owner->localpart);
    if (!account) return denied("unknown_token", "the access token is not known");
    return api::VerifyAccessTokenResponse{user_id(owner->localpart), std::move(owner->device), account->guest, account->admin, owner->expires_ms};
  });
}

Result<api::Nothing> UserService::delete_devices(const api::DeleteDevicesRequest& request) {
  BACKPLANE_TRY(localpart, local(request.user));
  return store_.write([&](storage::Write& write) -> Result<api::Nothing> {
    std::vector<DeviceId> devices = request.device_ids;
    if (request.all) {
      devices.clear();
      for (api::Device& device : store::list_devices(write, localpart)) {
        if (device.device_id != request.keep) devices.push_back(std::move(device.device_id));
      }
    }
    close_sessions(write, localpart, devices, false);
    return api::Nothing{};
  });
}

}  // namespace backplane::user_api
