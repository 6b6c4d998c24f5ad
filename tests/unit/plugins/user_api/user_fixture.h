// A user_api in a FakeHost, and short words for what tests ask of it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "backplane/api/user_api.h"
#include "backplane/testing/fake_host.h"

namespace backplane::user_api {

inline const UserId alice("@alice:test.example");

/// An error as `denied/bad_credentials`, or `ok`.
template <class T>
std::string outcome(const Result<T>& result) {
  if (result) return "ok";
  return std::string(to_string(result.error().code)) + "/" + result.error().reason;
}

struct UserFixture : ::testing::Test {
  using Options = testing::FakeHost::OptionOverrides;

  /// Passwords cost next to nothing here.
  void start(Options options = {}) {
    options.try_emplace("registration", std::string("open"));
    options.try_emplace("password_hash_memory", std::int64_t{8192});
    options.try_emplace("password_hash_passes", std::int64_t{1});
    host.load("user_api", std::move(options));
    host.start();
    users = &host.connect<api::UserApi>();
  }
  void restart(Options options = {}) {
    host.stop();
    start(std::move(options));
  }

  static api::RegisterAccountRequest account(std::string localpart, std::string device = "") {
    api::RegisterAccountRequest request;
    request.localpart = std::move(localpart);
    request.password = "correct horse";
    request.device_id = DeviceId(std::move(device));
    return request;
  }
  Result<api::LogInResponse> sign_up(std::string localpart, std::string device = "") {
    return users->register_account({}, account(std::move(localpart), std::move(device)));
  }
  Result<api::LogInResponse> log_in(std::string user, std::string password, std::string device = "",
                                    bool refresh = false, std::string address = "") {
    api::LogInRequest request;
    request.user = std::move(user);
    request.password = std::move(password);
    request.device_id = DeviceId(std::move(device));
    request.refresh_token = refresh;
    request.remote_address = std::move(address);
    return users->log_in({}, request);
  }
  Result<api::LogInResponse> log_in_with_token(std::string token) {
    api::LogInRequest request;
    request.login_token = std::move(token);
    return users->log_in({}, request);
  }
  Result<api::VerifyAccessTokenResponse> verify(const AccessToken& token) {
    return users->verify_access_token({}, {token});
  }
  /// `@user:server/DEVICE`, or the error.
  std::string owner(const AccessToken& token) {
    const auto found = verify(token);
    return found ? found->user.str() + "/" + found->device.str() : outcome(found);
  }
  std::vector<std::string> devices(const UserId& user) {
    std::vector<std::string> out;
    const auto found = users->list_devices({}, {user});
    EXPECT_EQ(outcome(found), "ok");
    if (found)
      for (const auto& device : found->devices) out.push_back(device.device_id.str());
    return out;
  }
  /// Every sessions record as `@user:server DEVICE DEVICE (all)`.
  std::vector<std::string> sessions() {
    std::vector<std::string> out;
    for (const auto& record : host.records(api::sessions_topic)) {
      const auto parsed = from_json<api::SessionsRecord>(record->payload);
      EXPECT_TRUE(parsed);
      EXPECT_EQ(record->key, parsed->user.str());
      std::string line = parsed->user.str();
      for (const auto& device : parsed->devices) line += " " + device.str();
      out.push_back(line + (parsed->all ? " (all)" : ""));
    }
    return out;
  }
  std::uint64_t commits() { return host.commits("user_api"); }

  testing::FakeHost host;
  api::UserApi* users = nullptr;
};

}  // namespace backplane::user_api
