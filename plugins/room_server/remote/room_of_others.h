// A room of other servers that a user of this server comes into: what PUT /send_join answers, looked through, and how
// it gets here. The room begins with its create event; its state, and the auth chain of that, come as outliers; and
// then the join, with the state before it.
#pragma once

#include <vector>

#include "backplane/api/federation_sender.h"
#include "backplane/matrix/event.h"
#include "environment.h"

namespace backplane::room_server {

class RoomOfOthers {
 public:
  /// `join`: the event as it was sent. Errors: incomplete/bad_answer for a state that is of another room or version, is
  /// without its create event, or does not allow the join.
  static Result<RoomOfOthers> read(matrix::Event join, api::SendRemoteJoinResponse answer);

  const matrix::Event& join() const { return join_; }
  /// Makes the room, unless it is here. Errors: unavailable/not_owner, the store's.
  Result<void> begin(Environment& environment) const;
  /// The events of the state and of its auth chain, once.
  std::vector<json::Raw> take_events() { return std::move(events_); }
  /// The join, as it is to be received after them.
  api::ReceivedEvent received() const;
  /// When it was: answers its position. Errors: incomplete/bad_answer when it was not taken; the store's.
  Result<log::Position> finish(Environment& environment) const;

 private:
  matrix::Event join_, create_;
  std::vector<EventId> state_;
  std::vector<json::Raw> events_;
};

}  // namespace backplane::room_server
