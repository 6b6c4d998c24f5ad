// How a change gets from a request into a room: repeats are told by their transaction id, the room's lane is entered,
// the change is queued there and waited for outside, and what failed because something before it failed is tried
// again on a fresh head.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "backplane/api/idempotency.h"
#include "environment.h"
#include "input/new_event.h"
#include "lane/lanes.h"

namespace backplane::room_server {

/// What a request came to.
struct Submitted {
  EventId event_id;
  log::Position position;
};

/// What an attempt inside a lane came to: one of these.
struct Attempt {
  std::shared_ptr<Pending> pending;       ///< a change is queued
  std::optional<HeadState> existing;      ///< the request asks for what is so already
  std::function<Result<void>()> outside;  ///< something has to be found out outside the lane, before the next attempt
};

/// What tells a request from all others.
struct RequestName {
  std::string transaction_key;  ///< 22 characters; empty for a request without a transaction id
  std::string device;           ///< of its user
};
RequestName request_name(const api::IdempotencyKey& key);

/// Whether work failed for no fault of its own: something before it in the lane did, or the room has gone to another
/// host. On a fresh head it may go well.
bool may_be_tried_again(const Error& failure);

/// Leaves the lane, and waits until what its head says is stored: what is lost with the power must not be what others
/// follow. Errors: unavailable/storage.
Result<void> leave_when_stored(LaneGuard& lane);

/// Runs `attempt` in the room's lane, waits for what it queued and answers it. Errors: not_found for a room that is
/// not here, the attempt's, and the store's.
Result<Submitted> submit_in_lane(Environment& environment, const RoomId& room_id, const RequestName& name,
                                 const std::function<Result<Attempt>(LaneGuard&)>& attempt);

/// Queues events that were applied to the lane's head, and the transaction that the last of them is of, which may be
/// empty. `more` is done with them, in their transaction.
std::shared_ptr<Pending> submit_events(Environment& environment, LaneGuard& lane, std::vector<NewEvent> events,
                                       const std::string& transaction_key,
                                       std::function<void(storage::Write&)> more = nullptr);

/// Whether the draft says what the entry says already, by the same sender; the rules must allow it all the same.
Result<bool> is_repeated_state(Environment& environment, LaneGuard& lane, matrix::EventDraft& draft,
                               const matrix::Event& current);

}  // namespace backplane::room_server
