#include "store.h"

namespace backplane::user_api::store {
namespace {

std::optional<TokenOwner> owner(std::optional<std::tuple<std::string, DeviceId, std::optional<std::int64_t>>> row) {
  if (!row) return std::nullopt;
  return TokenOwner{std::move(std::get<0>(*row)), std::move(std::get<1>(*row)), std::get<2>(*row)};
}

}  // namespace

void set_access_token(storage::Write& write, std::string_view digest, const TokenOwner& token_owner) {
  write.execute("INSERT INTO access_tokens (digest, localpart, device_id, expires_ms) VALUES (?, ?, ?, ?)",
                {digest, token_owner.localpart, token_owner.device, token_owner.expires_ms});
}

std::optional<TokenOwner> find_access_token(storage::Session& session, std::string_view digest) {
  return owner(session.find<std::string, DeviceId, std::optional<std::int64_t>>(
      "SELECT localpart, device_id, expires_ms FROM access_tokens WHERE digest = ?", {digest}));
}

void set_refresh_token(storage::Write& write, std::string_view digest, const TokenOwner& token_owner) {
  write.execute("INSERT INTO refresh_tokens (digest, localpart, device_id) VALUES (?, ?, ?)",
                {digest, token_owner.localpart, token_owner.device});
}

std::optional<TokenOwner> find_refresh_token(storage::Session& session, std::string_view digest) {
  return owner(session.find<std::string, DeviceId, std::optional<std::int64_t>>(
      "SELECT localpart, device_id, CAST(NULL AS BIGINT) FROM refresh_tokens WHERE digest = ?", {digest}));
}

void insert_login_token(storage::Write& write, std::string_view digest, std::string_view localpart, std::int64_t expires_ms) {
  write.execute("INSERT INTO login_tokens (digest, localpart, expires_ms) VALUES (?, ?, ?)", {digest, localpart, expires_ms});
}

std::optional<std::string> take_login_token(storage::Write& write, std::string_view digest, std::int64_t now_ms) {
  auto row = write.find<std::string>("SELECT localpart FROM login_tokens WHERE digest = ? AND expires_ms > ?", {digest, now_ms});
  write.execute("DELETE FROM login_tokens WHERE digest = ? OR expires_ms <= ?", {digest, now_ms});
  return row;
}

}  // namespace backplane::user_api::store
