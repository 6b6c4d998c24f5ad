// What has to come before some events of a room, got from another server: the events between them and what is here,
// and where there are more than that server answers at once, the state at the first of them. Nothing that comes is
// believed: its signatures are checked (wire 13), and it gets in as all events of others do.
//
// One room at a time; whoever runs fill() keeps this until it is done.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "backplane/base/gate.h"
#include "backplane/base/task.h"
#include "backplane/matrix/room_version.h"
#include "environment.h"
#include "other_servers.h"

namespace backplane::room_server {

class Gap {
 public:
  /// `until`: nothing more is asked for when it is closed.
  Gap(Environment& environment, const OtherServers& others, RoomId room_id, const matrix::RoomVersion& version,
      ServerName server, const Gate* until = nullptr)
      : environment_(environment),
        others_(others),
        room_id_(std::move(room_id)),
        version_(version),
        server_(std::move(server)),
        until_(until) {}

  /// Takes the event, and what has to come before it as far as the server has that. Answers whether it was taken, or
  /// is of no use. Errors: as receive_events.
  Task<Result<bool>> fill(api::ReceivedEvent event);
  /// The same with what it may cite, whose signatures have been checked.
  Task<Result<bool>> fill(api::ReceivedEvent event, std::vector<json::Raw> outliers);
  /// Takes the history up to some events, at most so many. Answers whether one of them was among it. Errors: likewise.
  Task<Result<bool>> backfill(std::vector<EventId> event_ids, std::uint32_t limit);
  /// Whether the server did not answer, or not in time.
  bool server_failed() const;

 private:
  /// An event on its way in.
  struct Coming {
    EventId event_id;
    std::int64_t depth = 0;
    api::ReceivedEvent received;
    std::vector<EventId> missing_prev_events, missing_auth_events;
  };

  /// Takes all that can be taken; what is left waits for others.
  Result<void> take();
  Result<void> take_some(std::size_t first, std::size_t count);
  bool is_coming(const EventId& event_id) const;
  /// Those that are neither here nor coming.
  Result<std::vector<EventId>> unknown_of(std::vector<EventId> event_ids);
  /// Those of the events that are new and of this room.
  std::vector<Coming> parse(std::vector<json::Raw> events, api::ReceivedKind kind);
  /// Has the signatures checked, and adds the events that are what they say to those that come.
  Task<Result<void>> add(std::vector<json::Raw> events, api::ReceivedKind kind);

  /// Asks for what is missing until those that are wanted were taken, or nothing more can be asked for.
  Task<Result<void>> settle(std::vector<EventId> wanted);
  Task<Result<void>> ask_for_events_between(EventId event_id);
  Task<Result<void>> ask_for_auth_chain(EventId event_id);
  /// The event, which others follow, with the state before it.
  Task<Result<void>> ask_for_branch(EventId event_id);
  Task<Result<std::vector<json::Raw>>> ask_for_events(std::vector<EventId> event_ids, std::size_t among,
                                                      EventId state_at);
  void note(const char* what, const Error& error);
  /// The time for this is over, or somebody wants to stop.
  bool is_over() const;
  void set_deadline();
  /// Of an event that gets a place and is not the one that waits: what is less deep than all that was said and is
  /// still here was purged, or came before this server was in the room, and is no news.
  api::ReceivedKind kind_at(std::int64_t depth) const;
  Result<std::int64_t> find_first_depth();
  std::size_t bytes_coming() const;

  Environment& environment_;
  const OtherServers& others_;
  const RoomId room_id_;
  const matrix::RoomVersion& version_;
  const ServerName server_;
  const Gate* const until_;
  api::CallContext context_;  ///< of all that is asked, with one deadline
  bool server_failed_ = false;
  std::vector<Coming> coming_;                             // the deepest last
  api::ReceivedKind kind_ = api::ReceivedKind::new_event;  // of what gets a place
  std::int64_t first_depth_ = 0;
  std::set<EventId> asked_branches_, asked_chains_;
};

}  // namespace backplane::room_server
