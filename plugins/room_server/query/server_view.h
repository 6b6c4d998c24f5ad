// A room's events as another server may see them: history visibility (Client-Server API, "Room History Visibility")
// holds for servers as for their users together. Rooms that show their history to all who are in them, which are most,
// cost nothing; in others the states at the events are asked about the users of that server alone.
//
// Inside one read of the store, as long as that.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "backplane/matrix/history_visibility.h"
#include "environment.h"
#include "state/snapshot_cache.h"

namespace backplane::room_server {

class ServerView {
 public:
  ServerView(storage::Session& session, RoomRow room, ServerName server);

  /// Whether a user of the server is joined. All else is for those servers alone.
  bool is_in_room();
  bool may_see(const EventRow& event);
  /// The event as the server gets it: redacted where it may not see it, and without `unsigned`.
  api::EventBody body(EventRow event);

 private:
  matrix::Membership membership_at(std::int64_t snapshot);
  matrix::Membership find_membership(const StateSnapshot& state);
  matrix::Membership best_of_stored(std::vector<std::int64_t> ordinals);
  const std::vector<StateRow>& members();

  storage::Session& session_;
  const RoomRow room_;
  const ServerName server_;
  std::optional<bool> is_in_room_;
  std::optional<std::vector<StateRow>> members_;               ///< those of the server that ever were
  SnapshotCache snapshots_;                                    ///< their bases are shared
  std::map<std::int64_t, matrix::Membership> at_;              ///< by the number of the snapshot
  std::unordered_map<std::int64_t, matrix::Membership> said_;  ///< by membership events, by ordinal
};

}  // namespace backplane::room_server
