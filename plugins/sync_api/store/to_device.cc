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
  // Its device may have had it from another host, which keeps records in memory until they are here.
  write.execute(
      "INSERT INTO to_device (user_id, device, sequence, lane, body) SELECT ?, ?, CAST(? AS BIGINT), "
      "CAST(? AS BIGINT), ? WHERE NOT EXISTS (SELECT 1 FROM to_device_acknowledged WHERE user_id = ? AND device = ? "
      "AND sequence >= ?) ON CONFLICT (user_id, device, sequence) DO NOTHING",
      {record.data.user, record.data.device, record.position.sequence, record.position.lane,
       to_device_body(record.data), record.data.user, record.data.device, record.position.sequence});
}

void reset_to_device(storage::Write& write) {
  // What waits here is the only copy: the producer's log does not go back to what was consumed long ago, so nothing is
  // forgotten. Records that come again find their row (same device and position) and change nothing. But what was
  // acknowledged were numbers of a log that is gone.
  write.execute("DELETE FROM to_device_acknowledged");
}

std::vector<ToDeviceRow> to_device(storage::Session& session, const UserId& user, const DeviceId& device,
                                   const log::Positions& after, std::size_t limit) {
  std::vector<ToDeviceRow> rows;
  session.each<std::uint16_t, Sequence, std::string>(
      "SELECT lane, sequence, body FROM to_device WHERE user_id = ? AND device = ? AND sequence > ? AND NOT EXISTS "
      "(SELECT 1 FROM to_device_acknowledged a WHERE a.user_id = to_device.user_id AND a.device = to_device.device "
      "AND a.sequence >= to_device.sequence) ORDER BY sequence LIMIT ?",
      {user, device, after.of(log::lane_of(user.view())), limit},
      [&](std::uint16_t lane, Sequence sequence, std::string body) {
        rows.push_back({{lane, sequence}, std::move(body)});
      });
  return rows;
}

void remove_to_device(storage::Write& write, const UserId& user, const DeviceId& device, const log::Positions& upto) {
  const Sequence sequence = upto.of(log::lane_of(user.view()));
  write.execute("DELETE FROM to_device WHERE user_id = ? AND device = ? AND sequence <= ?", {user, device, sequence});
  write.execute(
      "INSERT INTO to_device_acknowledged (user_id, device, sequence) VALUES (?, ?, ?) ON CONFLICT (user_id, device) "
      "DO "
      "UPDATE SET sequence = excluded.sequence WHERE to_device_acknowledged.sequence < excluded.sequence",
      {user, device, sequence});
}

}  // namespace backplane::sync_api::store
