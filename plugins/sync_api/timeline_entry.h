// One record of a room as the index and the tails keep it: where it is in both orders, and what it changed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backplane/api/room_server.h"
#include "backplane/matrix/history_visibility.h"
#include "backplane/matrix/ids.h"
#include "backplane/matrix/membership.h"
#include "events/event_cache.h"
#include "token.h"

namespace backplane::sync_api {

enum class EntryKind : std::uint8_t {
  timeline = 0,      ///< an event of /sync and /messages
  history = 1,       ///< backfilled: /messages only
  state_change = 2,  ///< current state changed without an event: state of /sync only
};

struct TimelineEntry {
  Sequence sequence = 0;
  std::int64_t topological = 0;
  /// When the event happened, in positions: at its own; history somewhere between these two (store/place_history.cc).
  Sequence earliest = 0, latest = 0;
  EntryKind kind = EntryKind::timeline;
  matrix::HistoryVisibility visibility = matrix::HistoryVisibility::shared;
  EventId event_id;
  std::string type;
  std::optional<std::string> state_key;
  std::string sender;
  DeviceId device;  ///< of the sender, with its transaction id
  TransactionId transaction_id;
  std::optional<api::StateChange> change;
  std::optional<api::MembershipChange> membership;
  EventPtr event;  ///< may be absent: then the cache is asked

  std::size_t bytes() const {
    return sizeof(TimelineEntry) + event_id.str().capacity() + type.capacity() + sender.capacity() +
           (state_key ? state_key->capacity() : 0) + (change ? 200 : 0) + (membership ? 60 : 0) +
           (event ? event->bytes() : 0);
  }
};
using EntryPtr = std::shared_ptr<const TimelineEntry>;

/// Whether it is the user's own m.room.member event: these may always be seen, so that one learns of being thrown out
/// of a room that one could not look into.
inline bool is_own_membership(const TimelineEntry& entry, const UserId& user) {
  return entry.type == "m.room.member" && entry.state_key && *entry.state_key == user.view();
}

/// Nothing for records that are no entry of the room's timeline or state.
EntryPtr make_entry(const api::RoomEventRecord& record, log::Position position, EventPtr event);

/// A piece of a room's state.
struct StateItem {
  std::string type;
  std::string state_key;
  EventId event_id;
  Sequence since = 0;                                         ///< where it began to hold
  matrix::Membership membership = matrix::Membership::leave;  ///< of m.room.member
};
std::vector<EventId> ids_of(const std::vector<StateItem>& items);

}  // namespace backplane::sync_api
