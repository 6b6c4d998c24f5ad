// What the reads of one room have in common: they see everything that was committed before them, and only what their
// user may see.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backplane/api/session.h"
#include "routes/routes.h"
#include "visibility.h"

namespace backplane::sync_api {

class RoomRead {
 public:
  /// Follows the log to its head and the index to the room's. A room that is world_readable now may be read by anybody,
  /// others by who is or was there. Errors: denied/forbidden for all others, and for those who have forgotten it; those
  /// of the database.
  static Result<RoomRead> open(Reader& reader, const http::Request& request);

  const UserId& user() const { return user_; }
  const RoomId& room_id() const { return room_id_; }
  const store::RoomRow& room() const { return room_; }
  const MembershipHistory& history() const { return history_; }
  const Access& access() const { return access_; }
  /// The position up to which the user may read state: now, or where they left.
  Sequence until() const { return until_; }
  /// Whether the user may read the state of an earlier position.
  Result<bool> may_see_state_at(Sequence at) const;
  bool may_see(const TimelineEntry& entry) const {
    if (is_own_membership(entry, user_)) return true;
    return entry.kind == EntryKind::history ? history_.may_see_between(entry.earliest, entry.latest, entry.visibility)
                                            : history_.may_see(entry.sequence, entry.visibility);
  }

  template <class Work>
  auto read(Work work) const {
    return reader_->store.read(std::move(work));
  }
  /// The events' bodies; entries without one are removed from the list and the index.
  Result<EventCache::Found> bodies(std::vector<EntryPtr>& entries) const;
  Result<EventCache::Found> bodies_of(const std::vector<StateItem>& items) const;
  void append(std::string& out, const ClientEvent& event, Sequence position, const TimelineEntry* entry) const;
  /// A JSON array of the entries' events, in their order.
  void append_chunk(std::string& out, const std::vector<EntryPtr>& entries, const EventCache::Found& bodies) const;
  /// The same of a state, however large. Errors: the database's.
  Result<void> append_state(std::string& out, const std::vector<StateItem>& items, const RoomEventFilter& filter) const;

 private:
  Result<bool> is_world_readable(const std::optional<StateItem>& visibility) const;

  Reader* reader_ = nullptr;
  UserId user_;
  DeviceId device_;
  RoomId room_id_;
  store::RoomRow room_;
  MembershipHistory history_;
  Sequence until_ = no_bound;
  Access access_;
};

/// The `filter` parameter, JSON of a RoomEventFilter.
Result<RoomEventFilter> room_filter_of(const http::Request& request);
/// The `limit` parameter. Errors: invalid/invalid_param.
Result<std::size_t> limit_of(const http::Request& request, const RoomEventFilter& filter);

}  // namespace backplane::sync_api
