// One answer while it is made.
#pragma once

#include <vector>

#include "sync/assembler.h"

namespace backplane::sync_api {

struct InvitePlan {
  RoomId room_id;
  matrix::Membership membership = matrix::Membership::invite;  ///< leave: an invite that is void
  std::vector<EventId> events;
  Text stripped;  ///< of a room that is not here: a JSON array
};

struct Assembler::Work {
  const Access& access;
  const SyncRequest& request;
  const Filter& filter;
  const SyncToken* since;
  UserView view;
  LazyMembers* lazy;
  std::vector<RoomPlan> plans;
  std::vector<InvitePlan> invites;
  EventCache::Found bodies;
  std::int64_t now_ms = 0;

  const ClientEvent* body_of(const EventId& event_id) const {
    const auto it = bodies.find(event_id);
    return it == bodies.end() ? nullptr : it->second.get();
  }
  const ClientEvent* body_of(const TimelineEntry& entry) const {
    return entry.event ? entry.event.get() : body_of(entry.event_id);
  }
};

}  // namespace backplane::sync_api
