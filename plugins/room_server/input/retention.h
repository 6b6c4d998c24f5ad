// History that goes by its age: finds the rooms whose messages are older than the options, or the room itself, allow,
// and notes a purge for each (purge_history.cc does the rest, by and by).
//
// A room is looked at with a few reads of one small row each; one with nothing to purge costs no more, and no write.
// Rooms are gone over in the order of their numbers, some at a time, by the owner of each room's shard. The age of an
// event is counted from when it came to this server: what it says of its own time is its sender's word.
//
// The timer's thread alone.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "environment.h"

namespace backplane::room_server {

struct RetentionRules {
  Duration lifetime{};   ///< of messages in every room; 0: for ever
  bool by_room = false;  ///< rooms may say a shorter one

  bool keep_everything() const { return lifetime <= Duration(0) && !by_room; }
};

class Retention {
 public:
  Retention(Environment& environment, RetentionRules rules) : environment_(environment), rules_(rules) {}

  /// Goes on: looks at the next rooms, as long as few purges are under way.
  void go_on(const std::atomic<bool>& draining);

 private:
  struct Found;
  Found look(storage::Session& session, RoomNumber after) const;
  /// Milliseconds; nothing: for ever.
  std::optional<std::int64_t> lifetime_in(storage::Session& session, const RoomRow& room) const;
  Result<bool> note(const RoomRow& room, const tables::PurgeRow& purge);
  void end_pass();

  Environment& environment_;
  const RetentionRules rules_;
  RoomNumber after_ = 0;        // the last room that was looked at; 0: a pass is to begin
  Instant pass_began_{};        // the last one
  std::int64_t looked_at_ = 0;  // rooms, in this pass
  std::int64_t noted_ = 0;      // purges, likewise
};

}  // namespace backplane::room_server
