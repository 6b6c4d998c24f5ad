#include "migrations/migrations.h"

namespace backplane::edu_server {
namespace {

constexpr std::string_view receipts = R"(
CREATE TABLE receipts (
  room_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  receipt_type TEXT NOT NULL,
  thread_id TEXT NOT NULL,
  event_id TEXT NOT NULL,
  ts BIGINT NOT NULL,
  lane BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  PRIMARY KEY (room_id, user_id, receipt_type, thread_id)
) {without_rowid};
CREATE INDEX receipts_by_sequence ON receipts (sequence);
CREATE TABLE transactions (
  user_id TEXT NOT NULL,
  device_id TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  transaction_id TEXT NOT NULL,
  lane BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (user_id, device_id, endpoint, transaction_id)
) {without_rowid};
CREATE INDEX transactions_by_time ON transactions (created_ms);
)";

}  // namespace

std::vector<storage::Migration> migrations() { return {{1, "receipts", receipts}}; }

}  // namespace backplane::edu_server
