#include "store.h"

namespace backplane::room_server::tables {

bool is_published(Session& session, RoomNumber room) {
  return session.find<std::int64_t>("SELECT published FROM rooms WHERE room = ?", {room}) == 1;
}

void set_published(Write& write, RoomNumber room, bool published) {
  write.execute("UPDATE rooms SET published = ? WHERE room = ?", {published, room});
}

void each_published_room(Session& session, const std::optional<DirectoryCursor>& from,
                         const std::function<bool(DirectoryRow)>& row) {
#define BACKPLANE_DIRECTORY_SELECT                                                                               \
  "SELECT room, joined_members, room_id, join_rule, history_visibility, guest_access, name, topic, avatar_url, " \
  "canonical_alias, room_type FROM rooms WHERE published = 1 "
  std::string_view sql = BACKPLANE_DIRECTORY_SELECT "ORDER BY joined_members DESC, room DESC";
  std::vector<storage::Parameter> parameters;
  if (from) {
    sql = from->backwards ? BACKPLANE_DIRECTORY_SELECT
              "AND (joined_members, room) > (?, ?) ORDER BY joined_members, room"
                          : BACKPLANE_DIRECTORY_SELECT
              "AND (joined_members, room) < (?, ?) ORDER BY joined_members DESC, room DESC";
    parameters = {from->joined_members, from->room};
  }
  using Text = std::optional<std::string>;
  session.each_span<RoomNumber, std::int64_t, RoomId, std::string, std::string, Text, Text, Text, Text, Text, Text>(
      sql, parameters,
      [&](RoomNumber room, std::int64_t joined, RoomId room_id, std::string join_rule,
          const std::string& history_visibility, const Text& guest_access, Text name, Text topic, Text avatar_url,
          Text canonical_alias, Text room_type) -> bool {
        api::PublicRoom out;
        out.room_id = std::move(room_id);
        out.num_joined_members = joined;
        out.world_readable = history_visibility == "world_readable";
        out.guest_can_join = guest_access == "can_join";
        out.name = std::move(name);
        out.topic = std::move(topic);
        out.avatar_url = std::move(avatar_url);
        out.canonical_alias = std::move(canonical_alias);
        out.join_rule = std::move(join_rule);
        out.room_type = std::move(room_type);
        return row({{joined, room, false}, std::move(out)});
      });
}

std::int64_t count_published_rooms(Session& session) {
  return session.find<std::int64_t>("SELECT COUNT(*) FROM rooms WHERE published = 1").value_or(0);
}

}  // namespace backplane::room_server::tables
