#include "store.h"

namespace backplane::sync_api::store {

std::string to_device_body(const api::SendToDeviceRecord& record) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  writer.raw_member("content", record.content.empty() ? std::string_view("{}") : std::string_view(record.content.text));
  writer.member("sender", record.sender.view()).member("type", record.type);
  writer.end_object();
  return body;
}

void index_to_device(storage::Write& write, const ToDeviceRecord& record) {
  write.execute(
      "INSERT INTO to_device (user_id, device, sequence, lane, body) VALUES (?, ?, ?, ?, ?)"
      " ON CONFLICT (user_id, device, sequence) DO NOTHING",
      {record.data.user, record.data.device, record.position.sequence, record.position.lane,
       to_device_body(record.data)});
}

void reset_to_device(storage::Write&) {
  // What waits here is the only copy: the producer's log does not go back to what was consumed long ago, so nothing is
  // forgotten. Records that come again find their row (same device and position) and change nothing.
}

namespace {

/// All messages of a user are in one lane; nothing when none wait.
std::optional<std::uint16_t> lane_of(storage::Session& session, const UserId& user, const DeviceId& device) {
  return session.find<std::uint16_t>(
      "SELECT lane FROM to_device WHERE user_id = ? AND device = ? ORDER BY sequence LIMIT 1", {user, device});
}

}  // namespace

std::vector<ToDeviceRow> to_device(storage::Session& session, const UserId& user, const DeviceId& device,
                                   const log::Positions& after, std::size_t limit) {
  std::vector<ToDeviceRow> rows;
  const auto only_lane = lane_of(session, user, device);
  if (!only_lane) return rows;
  session.each<std::uint16_t, Sequence, std::string>(
      "SELECT lane, sequence, body FROM to_device WHERE user_id = ? AND device = ? AND sequence > ? ORDER BY sequence "
      "LIMIT ?",
      {user, device, after.of(*only_lane), limit}, [&](std::uint16_t lane, Sequence sequence, std::string body) {
        rows.push_back({{lane, sequence}, std::move(body)});
      });
  return rows;
}

void remove_to_device(storage::Write& write, const UserId& user, const DeviceId& device, const log::Positions& upto) {
  const auto lane = lane_of(write, user, device);
  if (!lane) return;
  write.execute("DELETE FROM to_device WHERE user_id = ? AND device = ? AND sequence <= ?",
                {user, device, upto.of(*lane)});
}

}  // namespace backplane::sync_api::store
