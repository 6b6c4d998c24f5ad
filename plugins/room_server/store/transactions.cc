#include "store.h"

namespace backplane::room_server::tables {

std::optional<TransactionResult> find_transaction(Session& session, std::string_view transaction_key) {
  auto row = session.find<EventId, std::uint16_t, std::uint64_t>(
      "SELECT e.event_id, e.log_lane, e.sequence FROM transactions t JOIN events e ON e.event_key = t.event_key "
      "WHERE t.transaction_key = ?",
      {transaction_key});
  if (!row) return std::nullopt;
  return TransactionResult{std::move(std::get<0>(*row)), {std::get<1>(*row), std::get<2>(*row)}};
}

void insert_transaction(Write& write, std::string_view transaction_key, RoomNumber room, std::int64_t ordinal,
                        std::int64_t stored_s) {
  const std::int64_t stored = write.execute(
      "INSERT INTO transactions (transaction_key, event_key, stored_s) VALUES (?, ?, ?) "
      "ON CONFLICT (transaction_key) DO UPDATE SET event_key = excluded.event_key, stored_s = excluded.stored_s "
      "WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.event_key = transactions.event_key)",
      {transaction_key, event_key(room, ordinal), stored_s});
  if (stored == 0) throw storage::Failure(conflict("constraint", "the transaction id has an event"));
}

std::int64_t delete_transactions(Write& write, std::int64_t before_s, std::int64_t limit) {
  return write.execute(
      "DELETE FROM transactions WHERE transaction_key IN "
      "(SELECT transaction_key FROM transactions WHERE stored_s < ? ORDER BY stored_s LIMIT ?)",
      {before_s, limit});
}

}  // namespace backplane::room_server::tables
