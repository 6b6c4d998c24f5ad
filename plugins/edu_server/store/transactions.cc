#include "store.h"

namespace backplane::edu_server::store {

std::optional<log::Position> find_transaction(storage::Session& session, const api::IdempotencyKey& key) {
  const auto row = session.find<std::uint16_t, std::uint64_t>(
      "SELECT lane, sequence FROM transactions WHERE user_id = ? AND device_id = ? AND endpoint = ? AND transaction_id "
      "= ?",
      {key.user, key.device, key.endpoint, key.transaction_id});
  if (!row) return std::nullopt;
  return log::Position{std::get<0>(*row), std::get<1>(*row)};
}

void insert_transaction(storage::Write& write, const api::IdempotencyKey& key, log::Position position,
                        std::int64_t now_ms) {
  write.execute(
      "INSERT INTO transactions (user_id, device_id, endpoint, transaction_id, lane, sequence, created_ms) VALUES (?, "
      "?, ?, ?, ?, ?, ?)",
      {key.user, key.device, key.endpoint, key.transaction_id, position.lane, position.sequence, now_ms});
}

void delete_transactions(storage::Write& write, std::int64_t before_ms) {
  write.execute("DELETE FROM transactions WHERE created_ms < ?", {before_ms});
}

}  // namespace backplane::edu_server::store
