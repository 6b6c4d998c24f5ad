#include "store.h"

namespace backplane::user_api::store {

std::optional<std::string> find_account_data(storage::Session& session, std::string_view localpart, const RoomId& room,
                                             std::string_view type) {
  return session.find<std::string>("SELECT content FROM account_data WHERE localpart = ? AND room_id = ? AND type = ?",
                                   {localpart, room, type});
}

void set_account_data(storage::Write& write, std::string_view localpart, const RoomId& room, std::string_view type,
                      std::string_view content, log::Position position) {
  write.execute(
      "INSERT INTO account_data (localpart, room_id, type, content, lane, sequence) VALUES (?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (localpart, room_id, type) DO UPDATE SET content = excluded.content, lane = excluded.lane, sequence "
      "= excluded.sequence",
      {localpart, room, type, content, position.lane, position.sequence});
}

}  // namespace backplane::user_api::store
