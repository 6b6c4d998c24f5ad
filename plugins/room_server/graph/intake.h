// Received events on their way into a room, one after the other: the checks on receipt of a PDU that look at the room
// (Server-Server API, 4 to 6), the event's place in the graph, and what it makes of the current state. What came of
// them is applied to the head at once, and to be stored in one piece. For whoever holds the room's lane, as long as he
// does; when anything fails the head is of no use any more.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "environment.h"
#include "graph/room_graph.h"
#include "input/new_event.h"

namespace backplane::room_server {

/// What became of an event.
struct Taken {
  EventStatus status = EventStatus::accepted;
  bool known = false;  ///< it was here already
  /// Events that have to be here before it; nothing was done then.
  std::vector<EventId> missing_prev_events, missing_auth_events;
  std::optional<matrix::Rejection> rejection;  ///< also of a soft failure

  bool is_complete() const { return missing_prev_events.empty() && missing_auth_events.empty(); }
};

class Intake {
 public:
  Intake(Environment& environment, RoomHead& head)
      : environment_(environment), head_(head), graph_(environment.store, head) {}

  /// The create event of a room that nobody here was ever in. Clients see it when history has come that far.
  Result<void> begin(const matrix::Event& create);
  /// An event with a place, of any kind but an outlier. `state_before`: the state as others say; else it follows from
  /// the prev_events, which have to be here. Errors: the store's, incomplete/missing_event of state resolution.
  Result<Taken> take(const matrix::Event& event, api::ReceivedKind kind,
                     const std::optional<std::vector<EventId>>& state_before);
  /// One whose place is not known, or not yet: it may be cited. Its auth events have to be here.
  Result<Taken> take_outlier(const matrix::Event& event);

  /// One of this server, made in between and applied to the head.
  void add(NewEvent event) {
    graph_.add(event.place());
    new_events_.push_back(std::move(event));
  }

  bool empty() const { return new_events_.empty(); }
  /// What has to be stored.
  std::vector<NewEvent> take_new_events() { return std::exchange(new_events_, {}); }

 private:
  struct AuthEvent {
    std::uint32_t ordinal = 0;
    bool rejected = false;
    matrix::Event event;  ///< none as long as nobody needs it
  };
  using AuthEvents = std::vector<AuthEvent>;
  Result<AuthEvents> find_auth_events(const matrix::Event& event, std::vector<EventId>& missing);
  Result<StateSnapshotPointer> find_state_before(const matrix::Event& event, std::vector<EventId>& missing);
  Result<StateSnapshotPointer> make_state(std::span<const EventId> event_ids, std::vector<EventId>& missing);
  bool is_same(const GraphEvent& known, const matrix::Event& event) const;
  bool is_current(const StateSnapshotPointer& state) const;
  /// Checks 4 and 5, and 6 for a new event.
  Result<void> check(const matrix::Event& event, api::ReceivedKind kind, const AuthEvents& auth_events,
                     const StateSnapshotPointer& before, Taken& taken);
  Result<std::optional<matrix::Rejection>> check_by_state(const matrix::Event& event,
                                                          const StateSnapshotPointer& state);
  Result<std::optional<matrix::Rejection>> check_by_auth_events(const matrix::Event& event,
                                                                const AuthEvents& auth_events);
  bool cites_current_state(const matrix::Event& event, const AuthEvents& auth_events) const;

  /// Gives the event its ordinal, number and states.
  NewEvent make_new(const matrix::Event& event, const GraphEvent* known, EventStatus status,
                    const AuthEvents& auth_events);
  Result<void> apply_state(NewEvent& event, StateSnapshotPointer before);
  /// `stay`: what others were a tip stays one where the event does not follow it.
  Result<void> move_tips(NewEvent& event, bool stay);
  Result<void> show_create_event(const matrix::Event& follower);
  Result<void> change_current_state(NewEvent& event, const StateSnapshotPointer& current);
  Result<void> change_entry(NewEvent& event, const StateEntry& entry, std::uint32_t ordinal_before);
  Result<std::vector<EventId>> followed_events(const matrix::Event& event);
  Result<matrix::HistoryVisibility> history_visibility(const StateSnapshotPointer& state);
  Result<void> note_awaited(NewEvent& event);
  Result<bool> may_redact(const GraphEvent& redaction, const matrix::Event& target);
  Result<void> redact(NewEvent& event);
  void finish(NewEvent event);

  Environment& environment_;
  RoomHead& head_;
  RoomGraph graph_;
  std::vector<NewEvent> new_events_;
  std::string redacted_json_;  ///< of the event that is being taken, when it has been redacted already
};

}  // namespace backplane::room_server
