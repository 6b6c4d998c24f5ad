#include "user_service.h"

namespace backplane::user_api {
namespace {
Error bad_credentials() { return denied("bad_credentials", "the user name or the password is wrong"); }
}  // namespace

Result<Account> UserService::check_password(std::string_view localpart, const std::string& password, const std::string& remote_address) {
  const std::string name(localpart);
  BACKPLANE_CHECK(limits_.check(name, remote_address));
  BACKPLANE_TRY(account, store_.read([&](storage::Session& session) { return store::find_account(session, localpart); }));
  if (!account || !account->password_hash) {
    limits_.failed(name, remote_address);
    if (account && account->deactivated) return denied("user_deactivated", "this account is deactivated");
    return bad_credentials();
  }
  BACKPLANE_TRY(right, passwords_.verify(*account->password_hash, password));
  if (!right) {
    limits_.failed(name, remote_address);
    return bad_credentials();
  }
  limits_.succeeded(name);
  return std::move(*account);
}

Result<api::Nothing> UserService::verify_password(const api::VerifyPasswordRequest& request) {
  BACKPLANE_TRY(localpart, local(request.user));
  BACKPLANE_CHECK(check_password(localpart, request.password, request.remote_address));
  return api::Nothing{};
}

Result<api::Nothing> UserService::change_password(const api::ChangePasswordRequest& request) {
  BACKPLANE_TRY(localpart, local(request.user));
  if (static_cast<std::int64_t>(request.new_password.size()) < settings_.minimum_password_length) {
    return invalid("weak_password", "a password has at least " + std::to_string(settings_.minimum_password_length) + " characters");
  }
  BACKPLANE_TRY(hash, passwords_.hash(request.new_password));
  return store_.write([&](storage::Write& write) -> Result<api::Nothing> {
    const auto account = store::find_account(write, localpart);
    if (!account || account->deactivated) return not_found("", "there is no account " + request.user.str());
    store::set_password(write, localpart, hash);
    if (request.logout_devices) {
      std::vector<DeviceId> others;
      for (api::Device& device : store::list_devices(write, localpart)) {
        if (device.device_id != request.keep_device) others.push_back(std::move(device.device_id));
      }
      close_sessions(write, localpart, others, request.keep_device.empty());
    }
    return api::Nothing{};
  });
}

Result<api::Nothing> UserService::deactivate(const api::DeactivateRequest& request) {
  BACKPLANE_TRY(localpart, local(request.user));
  return store_.write([&](storage::Write& write) -> Result<api::Nothing> {
    const auto account = store::find_account(write, localpart);
    if (!account) return not_found("", "there is no account " + request.user.str());
    if (account->deactivated) return api::Nothing{};
    std::vector<DeviceId> devices;
    for (api::Device& device : store::list_devices(write, localpart)) devices.push_back(std::move(device.device_id));
    store::deactivate_account(write, localpart);
    close_sessions(write, localpart, devices, true);
    return api::Nothing{};
  });
}

}  // namespace backplane::user_api
