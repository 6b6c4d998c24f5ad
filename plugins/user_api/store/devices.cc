#include "store.h"

namespace backplane::user_api::store {

void upsert_device(storage::Write& write, std::string_view localpart, const DeviceId& device, const std::optional<std::string>& display_name,
                   std::string_view ip, std::int64_t now_ms) {
  write.execute(
      "INSERT INTO devices (localpart, device_id, display_name, last_seen_ip, last_seen_ms) VALUES (?, ?, ?, ?, ?) "
      "ON CONFLICT (localpart, device_id) DO UPDATE SET "
      "last_seen_ip = CASE WHEN excluded.last_seen_ip = '' THEN devices.last_seen_ip ELSE excluded.last_seen_ip END, "
      "last_seen_ms = excluded.last_seen_ms",
      {localpart, device, display_name, ip, now_ms});
}

std::vector<api::Device> list_devices(storage::Session& session, std::string_view localpart) {
  std::vector<api::Device> devices;
  session.each<DeviceId, std::optional<std::string>, std::string, std::int64_t>(
      "SELECT device_id, display_name, last_seen_ip, last_seen_ms FROM devices WHERE localpart = ? ORDER BY device_id", {localpart},
      [&](DeviceId id, std::optional<std::string> name, std::string ip, std::int64_t seen_ms) {
        devices.push_back({std::move(id), std::move(name), std::move(ip), seen_ms});
      });
  return devices;
}

bool update_device(storage::Write& write, std::string_view localpart, const DeviceId& device, const std::optional<std::string>& display_name) {
  return write.execute("UPDATE devices SET display_name = COALESCE(?, display_name) WHERE localpart = ? AND device_id = ?",
                       {display_name, localpart, device}) > 0;
}

bool has_device(storage::Session& session, std::string_view localpart, const DeviceId& device) {
  return session.find<std::int64_t>("SELECT 1 FROM devices WHERE localpart = ? AND device_id = ?", {localpart, device}).has_value();
}

bool delete_device(storage::Write& write, std::string_view localpart, const DeviceId& device) {
  delete_tokens(write, localpart, device);
  return write.execute("DELETE FROM devices WHERE localpart = ? AND device_id = ?", {localpart, device}) > 0;
}

void delete_tokens(storage::Write& write, std::string_view localpart, const DeviceId& device) {
  write.execute("DELETE FROM access_tokens WHERE localpart = ? AND device_id = ?", {localpart, device});
  write.execute("DELETE FROM refresh_tokens WHERE localpart = ? AND device_id = ?", {localpart, device});
}

}  // namespace backplane::user_api::store
