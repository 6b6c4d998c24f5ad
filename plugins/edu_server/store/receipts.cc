#include "store.h"

namespace backplane::edu_server::store {

void set_receipt(storage::Write& write, const api::ReceiptRecord& r, log::Position position) {
  write.execute(
      "INSERT INTO receipts (room_id, user_id, receipt_type, thread_id, event_id, ts, lane, sequence) VALUES (?, ?, ?, "
      "?, ?, ?, ?, ?) "
      "ON CONFLICT (room_id, user_id, receipt_type, thread_id) DO UPDATE SET "
      "event_id = excluded.event_id, ts = excluded.ts, lane = excluded.lane, sequence = excluded.sequence",
      {r.room_id, r.user, r.receipt_type, r.thread_id, r.event_id, r.ts, position.lane, position.sequence});
}

std::optional<EventId> find_receipt(storage::Session& session, const api::SubmitReceiptRequest& r) {
  return session.find<EventId>(
      "SELECT event_id FROM receipts WHERE room_id = ? AND user_id = ? AND receipt_type = ? AND thread_id = ?",
      {r.room_id, r.user, r.receipt_type, r.thread_id});
}

api::ListRecordsResponse list_receipts(storage::Session& session, std::uint64_t after, std::uint32_t limit) {
  api::ListRecordsResponse answer;
  session.each<RoomId, UserId, std::string, std::string, EventId, std::int64_t, std::uint16_t, std::uint64_t>(
      "SELECT room_id, user_id, receipt_type, thread_id, event_id, ts, lane, sequence FROM receipts WHERE sequence > ? "
      "ORDER BY sequence LIMIT ?",
      {after, limit},
      [&](RoomId room, UserId user, std::string type, std::string thread, EventId event, std::int64_t ts,
          std::uint16_t lane, std::uint64_t sequence) {
        const api::ReceiptRecord receipt{room, std::move(user), std::move(type), std::move(event), std::move(thread),
                                         ts};
        answer.records.push_back({room.str(), {lane, sequence}, json::Raw{to_json(receipt)}});
      });
  answer.last = answer.records.size() < limit;
  return answer;
}

}  // namespace backplane::edu_server::store
