#include "backplane/base/encoding.h"
#include "user_service.h"

namespace backplane::user_api {
namespace {
// Localparts that are made up are digits, as guests' have to be (Client-Server API, "Guest access").
constexpr std::string_view digits = "0123456789";
constexpr std::size_t made_up_length = 12;
}  // namespace

Result<void> UserService::check_localpart(std::string_view localpart, bool may_be_digits) const {
  if (!matrix::is_valid_new_localpart(localpart, server_name_)) {
    return invalid("invalid_username", "a user name is made of a-z, 0-9, '.', '_', '=', '-', '/' and '+', and 255 characters long at most with @ and server name");
  }
  if (!may_be_digits && localpart.find_first_not_of(digits) == std::string_view::npos) {
    return invalid("invalid_username", "user names of digits alone are for guests");
  }
  auto account = store_.read([&](storage::Session& session) { return store::find_account(session, localpart); });
  if (!account) return std::move(account).error();
  if (account->has_value()) return conflict("user_in_use", "that user name is taken");
  return {};
}

bool UserService::is_registration_token(std::string_view token) const {
  bool found = false;  // every token is compared, so that the time taken tells nothing
  for (const std::string& t : settings_.registration_tokens) found |= equal_secrets(t, token);
  return found;
}

Result<void> UserService::check_registration_rules(const api::RegisterAccountRequest& request) const {
  if (request.by_operator) return {};
  if (request.guest) {
    if (!settings_.guests) return denied("guest_access_forbidden", "guests are not allowed on this server");
    return {};
  }
  if (!settings_.open && !settings_.token_required) return denied("registration_disabled", "registration is closed on this server");
  if (settings_.token_required && !is_registration_token(request.registration_token)) {
    return denied("bad_registration_token", "registration needs a valid registration token");
  }
  return {};
}

Result<api::LogInResponse> UserService::register_account(const api::RegisterAccountRequest& request) {
  BACKPLANE_CHECK(check_registration_rules(request));
  Account account;
  const bool made_up = request.localpart.empty() || request.guest;
  account.localpart = made_up ? host_.random().text(made_up_length, digits) : request.localpart;
  account.admin = request.admin && request.by_operator;
  account.guest = request.guest;
  BACKPLANE_CHECK(check_localpart(account.localpart, made_up || request.by_operator));
  if (request.password) {
    if (static_cast<std::int64_t>(request.password->size()) < settings_.minimum_password_length) {
      return invalid("weak_password", "a password has at least " + std::to_string(settings_.minimum_password_length) + " characters");
    }
    BACKPLANE_TRY(hash, passwords_.hash(*request.password));
    account.password_hash = std::move(hash);
  }
  return store_.write([&](storage::Write& write) -> Result<api::LogInResponse> {
    if (store::find_account(write, account.localpart)) return conflict("user_in_use", "that user name is taken");
    store::insert_account(write, account, host_.clock().wall_ms());
    if (request.inhibit_login) return api::LogInResponse{user_id(account.localpart), {}, {}, {}, {}};
    return open_session(write, account.localpart, request.device_id, request.device_display_name, request.refresh_token, "");
  });
}

}  // namespace backplane::user_api
