// New events that came before what they follow or cite. They are kept in the store, and what they wait for is got from
// other servers outside the room's lane (missing/gap.h): first from who sent them, then, at growing intervals, from
// others in the room, until it is given up. A room's are seen to one after the other, as they came.
//
// Any thread. What is under way goes on on the host's workers; stop() waits for it.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "backplane/base/gate.h"
#include "missing/gap.h"

namespace backplane::room_server {

class MissingEvents {
 public:
  MissingEvents(Environment& environment, OtherServers others, Counter& given_up)
      : environment_(environment), others_(others), given_up_(given_up) {}

  /// Whether anybody can be asked.
  bool can_ask() const { return others_.can_ask(); }
  /// Gets history from other servers, where some is missing.
  void backfill(const api::BackfillRequest& request, const api::Reply<api::BackfillResponse>& reply);
  /// Something waits in a room of this host.
  void wake(const RoomId& room_id);
  /// Events wait for these.
  void note_awaited(const RoomId& room_id, const api::ReceiveEventsResponse& response);
  /// Some events of a room have come: those that waited for them are received again, and nobody is asked.
  void note_come(const RoomId& room_id, const api::ReceiveEventsResponse& response);
  /// Goes on with what is due, also since before the start. Regularly called.
  void wake_due();
  /// Begins nothing more.
  void close() { gate_.close(); }
  /// close(), and nothing is under way: what is asked for is waited for, at most a minute.
  void stop();

 private:
  void begin(const RoomId& room_id);
  /// Goes on with rooms that are in line, as far as there is room for them.
  void go_on();
  void end(const RoomId& room_id, bool more);
  bool is_somebody_in_line() const;
  /// Answers whether there may be more; others have their turn before that.
  Task<Result<bool>> see_to(RoomId room_id);
  /// Likewise. `down`: servers that did not answer, and are not asked again.
  Task<Result<bool>> see_to_one(const RoomRow& room, const matrix::RoomVersion& version, std::set<ServerName>& down);
  /// What they wait for may have come by now. Answers those that still wait.
  Result<std::vector<WaitingEventRow>> receive(const RoomRow& room, std::vector<WaitingEventRow> waiting);
  /// All that waits, due or not.
  Result<void> receive_all(const RoomId& room_id);
  void receive_while_some_come(const RoomId& room_id);
  Result<void> forget(const RoomRow& room, const std::vector<EventId>& event_ids);
  /// For a later attempt; the last one was the last.
  Result<void> set_aside(const RoomRow& room, std::vector<WaitingEventRow> events);
  /// Notes which of the extremities did not come, and answers all who asked.
  void answer_backfill(const RoomId& room_id, const std::vector<EventId>& extremities,
                       const Result<api::BackfillResponse>& response);
  Task<Result<api::BackfillResponse>> get_history(api::BackfillRequest request, std::vector<EventId> event_ids);
  /// Those in the room.
  Result<std::vector<ServerName>> other_servers(const RoomRow& room) const;

  Environment& environment_;
  const OtherServers others_;
  Counter& given_up_;
  Gate gate_;
  mutable std::mutex mutex_;
  std::unordered_map<RoomId, bool> under_way_;  ///< or in line, and whether more has come meanwhile
  std::deque<RoomId> line_;
  std::unordered_map<RoomId, std::vector<api::Reply<api::BackfillResponse>>> backfills_;  ///< who waits for one
  /// Extremities that nobody answered lately, and until when they are not asked for again.
  std::unordered_map<RoomId, std::unordered_map<EventId, Instant>> not_answered_;
  struct Awaited {
    std::unordered_set<EventId> event_ids;
    bool is_received = false;  ///< now
    bool again = false;        ///< more has come meanwhile
  };
  std::unordered_map<RoomId, Awaited> awaited_;  ///< by what waits, as far as that is known since the start
  std::size_t running_ = 0;
};

}  // namespace backplane::room_server
