#include "migrations/note_times_of_receipt.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "backplane/base/json.h"

// The statements are this migration's own: those of store/ are of the newest tables.
namespace backplane::room_server {
namespace {

constexpr std::int64_t events_at_once = 1000;

std::int64_t origin_server_ts(const std::string& event) {
  std::int64_t ts = 0;
  if (const auto raw = json::find_raw(event, "origin_server_ts"))
    std::from_chars(raw->data(), raw->data() + raw->size(), ts);
  return ts;
}

}  // namespace

void note_times_of_receipt(storage::Session& session) {
  std::int64_t room = 0, latest = 0;
  for (std::int64_t after = 0;;) {
    std::vector<std::pair<std::int64_t, std::int64_t>> times;
    session.each<std::int64_t, std::string>(
        "SELECT event_key, json FROM events WHERE event_key > ? ORDER BY event_key LIMIT ?", {after, events_at_once},
        [&](std::int64_t key, const std::string& json) { times.emplace_back(key, origin_server_ts(json)); });
    if (times.empty()) return;
    after = times.back().first;
    for (const auto& [key, ts] : times) {
      if (key >> 32 != room) latest = 0;
      room = key >> 32;
      const bool is_in_order = (key & 0xffffffff) >= std::int64_t{1} << 31;
      if (is_in_order) latest = std::max(latest, ts);
      session.execute("UPDATE events SET received_ms = ? WHERE event_key = ?", {is_in_order ? latest : ts, key});
    }
  }
}

}  // namespace backplane::room_server
