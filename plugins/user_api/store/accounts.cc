#include "store.h"

namespace backplane::user_api::store {

std::optional<Account> find_account(storage::Session& session, std::string_view localpart) {
  auto row = session.find<std::optional<std::string>, bool, bool, bool>(
      "SELECT password_hash, admin, guest, deactivated FROM users WHERE localpart = ?", {localpart});
  if (!row) return std::nullopt;
  auto& [hash, admin, guest, deactivated] = *row;
  return Account{std::string(localpart), std::move(hash), admin, guest, deactivated};
}

void insert_account(storage::Write& write, const Account& account, std::int64_t now_ms) {
  write.execute(
      "INSERT INTO users (localpart, password_hash, admin, guest, deactivated, created_ms, displayname, "
      "profile_version) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, 1)",
      {account.localpart, account.password_hash, account.admin, account.guest, account.deactivated, now_ms,
       account.localpart});
}

void set_password(storage::Write& write, std::string_view localpart, const std::optional<std::string>& hash) {
  write.execute("UPDATE users SET password_hash = ? WHERE localpart = ?", {hash, localpart});
}

void deactivate_account(storage::Write& write, std::string_view localpart) {
  write.execute(
      "UPDATE users SET password_hash = NULL, deactivated = 1, displayname = NULL, avatar_url = NULL, profile_version "
      "= profile_version + 1 "
      "WHERE localpart = ?",
      {localpart});
  write.execute("DELETE FROM profile_fields WHERE localpart = ?", {localpart});
  write.execute("DELETE FROM account_data WHERE localpart = ?", {localpart});
  write.execute("DELETE FROM login_tokens WHERE localpart = ?", {localpart});
}

}  // namespace backplane::user_api::store
