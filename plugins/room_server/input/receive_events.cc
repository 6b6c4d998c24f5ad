// Events of other servers: their form is checked outside the room's lane, all else in it; what came of a request is one
// piece of work.
#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "graph/intake.h"
#include "input/input.h"
#include "input/submission.h"
#include "missing/missing_events.h"

namespace backplane::room_server {
namespace {

constexpr std::size_t max_events = 1000;
constexpr int max_attempts = 4;
/// So many branches of a room may stay open.
constexpr std::size_t max_forward_extremities = 10;
/// So many events may wait in a room, and so many of one server's.
constexpr std::int64_t max_waiting = 1000, max_waiting_of_server = 100;
/// What others send too for that purpose.
constexpr std::string_view dummy_type = "org.matrix.dummy_event";

using api::ReceivedOutcome;

ReceivedOutcome outcome_of(const Taken& taken) {
  if (!taken.is_complete()) return ReceivedOutcome::incomplete;
  if (taken.known) return ReceivedOutcome::known;
  switch (taken.status) {
    case EventStatus::soft_failed: return ReceivedOutcome::soft_failed;
    case EventStatus::rejected: return ReceivedOutcome::rejected;
    case EventStatus::accepted:
    case EventStatus::outlier:
    case EventStatus::history:
    case EventStatus::silent: break;
  }
  return ReceivedOutcome::accepted;
}

class Reception {
 public:
  Reception(Environment& environment, const api::ReceiveEventsRequest& request)
      : environment_(environment), request_(request), events_(request.events.size()) {
    response_.results.resize(request.events.size());
  }

  Result<void> parse() {
    BACKPLANE_TRY(room, environment_.store.read(
                            [&](storage::Session& session) { return tables::find_room(session, request_.room_id); }));
    const matrix::RoomVersion* const version = room ? matrix::find_room_version(room->version) : nullptr;
    if (version == nullptr) {
      return not_found("unknown_room", "this server does not know the room " + request_.room_id.str());
    }
    for (std::size_t i = 0; i < events_.size(); ++i) {
      api::ReceivedResult& result = response_.results[i];
      const matrix::ReferenceLimits limits = request_.events[i].kind == api::ReceivedKind::history
                                                 ? matrix::ReferenceLimits::unchecked
                                                 : matrix::ReferenceLimits::checked;
      auto event = matrix::Event::parse_untrusted(request_.events[i].event.text, *version, limits);
      if (!event) {
        result.reason = event.error().text;
        continue;
      }
      result.event_id = event->event_id();
      if (event->room_id() != request_.room_id) result.reason = "the event is of the room " + event->room_id().str();
      else if (!is_text(event->type()) || !is_text(event->state_key().value_or("")))
        result.reason = "the event's type or state_key holds U+0000";  // NOTSPEC: no database has a form for it
      else if (request_.events[i].kind == api::ReceivedKind::way_in && !request_.events[i].state_before)
        result.reason = "a way into the room needs the state before it";
      else events_[i] = std::move(*event);
    }
    put_in_order();
    return {};
  }

  Result<std::shared_ptr<Pending>> take(LaneGuard& lane) {
    Intake intake(environment_, lane.head());
    for (const std::size_t i : order_) {
      BACKPLANE_CHECK(take(intake, i));
      // As many as one event may name.
      if (lane.head().tips().size() >= matrix::max_prev_events) join_branches(lane.head(), intake);
    }
    if (lane.head().tips().size() > max_forward_extremities) join_branches(lane.head(), intake);
    BACKPLANE_TRY(waiting, find_waiting(lane.head().room().number));
    const auto insert = [room = lane.head().room().number, waiting](storage::Write& write) {
      for (const WaitingEventRow& event : waiting) tables::insert_waiting_event(write, room, event);
    };
    if (!intake.empty()) return submit_events(environment_, lane, intake.take_new_events(), {}, insert);
    if (waiting.empty()) return lane.last_queued();
    return lane.submit({}, {},
                       [insert](storage::Write& write, Pending&) -> Result<void> {
                         insert(write);
                         return {};
                       },
                       {});
  }

  bool some_wait() const {
    return std::ranges::find(response_.results, ReceivedOutcome::waiting, &api::ReceivedResult::outcome) !=
           response_.results.end();
  }

  api::ReceiveEventsResponse& response() { return response_; }

 private:
  /// Each after those of them that it follows or cites, else as they came.
  void put_in_order() {
    std::unordered_multimap<EventId, std::size_t> places;
    for (std::size_t i = 0; i < events_.size(); ++i) {
      if (events_[i]) places.emplace(events_[i].event_id(), i);
    }
    std::vector<bool> seen(events_.size());
    struct Visit {
      std::size_t place;
      std::vector<EventId> references;
    };
    std::vector<Visit> path;
    const auto visit = [&](std::size_t i) {
      if (seen[i]) return;
      seen[i] = true;
      std::vector<EventId> references = events_[i].prev_events();
      for (EventId& event_id : events_[i].auth_events()) references.push_back(std::move(event_id));
      for (const EventId& event_id : request_.events[i].state_before.value_or(std::vector<EventId>()))
        references.push_back(event_id);
      path.push_back({i, std::move(references)});
    };
    for (std::size_t i = 0; i < events_.size(); ++i) {
      if (events_[i]) visit(i);
      while (!path.empty()) {
        if (path.back().references.empty()) {
          order_.push_back(path.back().place);
          path.pop_back();
          continue;
        }
        const EventId event_id = std::move(path.back().references.back());
        path.back().references.pop_back();
        const auto [first, last] = places.equal_range(event_id);
        for (auto at = first; at != last; ++at) visit(at->second);
      }
    }
  }

  /// How many more events of who sent these may wait. Of those who are not in the room none may.
  Result<std::int64_t> count_free(RoomNumber room) const {
    return environment_.store.read([&](storage::Session& session) -> std::int64_t {
      if (!tables::is_joined(session, room, request_.origin)) return 0;
      return std::min(max_waiting - tables::count_waiting_events(session, room),
                      max_waiting_of_server - tables::count_waiting_events(session, room, request_.origin));
    });
  }

  /// New events that others have to come before, where somebody can be asked for those.
  Result<std::vector<WaitingEventRow>> find_waiting(RoomNumber room) {
    std::vector<WaitingEventRow> waiting;
    if (request_.origin.empty() || !environment_.missing_events->can_ask()) return waiting;
    std::optional<std::int64_t> free;
    for (std::size_t i = 0; i < events_.size(); ++i) {
      api::ReceivedResult& result = response_.results[i];
      const api::ReceivedEvent& received = request_.events[i];
      if (result.outcome != ReceivedOutcome::incomplete || received.kind != api::ReceivedKind::new_event) continue;
      if (!free) {
        BACKPLANE_TRY(counted, count_free(room));
        free = counted;
      }
      if (--*free < 0) break;
      result.outcome = ReceivedOutcome::waiting;
      waiting.push_back(
          {result.event_id, request_.origin, environment_.clock.wall_ms(), 0, 0, std::string(events_[i].json())});
    }
    return waiting;
  }

  /// Resolution takes the longer the more branches there are, and so does every new event. If anybody here may say
  /// something, one that follows all of them brings them together.
  void join_branches(RoomHead& head, Intake& intake) {
    matrix::EventDraft draft;
    draft.type = dummy_type;
    draft.sender = head.find_member_with(environment_.server_name, head.power_levels().to_send(dummy_type, false));
    if (draft.sender.empty()) return;
    auto made = make_event(environment_, head, std::move(draft), {}, {});
    if (!made) return;
    made->row.status = EventStatus::silent;
    intake.add(std::move(*made));
  }

  Result<Taken> take(Intake& intake, std::size_t i) {
    const api::ReceivedEvent& received = request_.events[i];
    auto taken = received.kind == api::ReceivedKind::outlier
                     ? intake.take_outlier(events_[i])
                     : intake.take(events_[i], received.kind, received.state_before);
    if (!taken) return taken;
    api::ReceivedResult& result = response_.results[i];
    result.outcome = outcome_of(*taken);
    result.missing_prev_events = taken->missing_prev_events;
    result.missing_auth_events = taken->missing_auth_events;
    if (taken->rejection) {
      result.reason = taken->rejection->text;
      environment_.logger.info("refused event", {{"event_id", result.event_id.view()},
                                                 {"room_id", request_.room_id.view()},
                                                 {"outcome", enum_name(result.outcome)},
                                                 {"rule", taken->rejection->rule}});
    }
    return taken;
  }

  Environment& environment_;
  const api::ReceiveEventsRequest& request_;
  std::vector<matrix::Event> events_;  // none where one is not taken
  std::vector<std::size_t> order_;     // in which they are taken
  api::ReceiveEventsResponse response_;
};

}  // namespace

Result<api::ReceiveEventsResponse> receive_events(Environment& environment, const api::ReceiveEventsRequest& request) {
  if (request.events.size() > max_events) return invalid("too_large", "more than 1000 events in a request");
  Reception reception(environment, request);
  BACKPLANE_CHECK(reception.parse());
  Error failure;
  for (int i = 0; i < max_attempts; ++i) {
    BACKPLANE_TRY(lane, environment.lanes.enter(request.room_id));
    auto taken = reception.take(lane);
    if (!taken) {
      lane.spoil();
      return std::move(taken).error();
    }
    lane.leave();
    const Result<void> committed = *taken ? Result<void>((*taken)->wait()) : Result<void>();
    if (committed) {
      environment.missing_events->note_come(request.room_id, reception.response());
      if (reception.some_wait()) {
        environment.missing_events->note_awaited(request.room_id, reception.response());
        environment.missing_events->wake(request.room_id);
      }
      return std::move(reception.response());
    }
    failure = committed.error();
    if (!may_be_tried_again(failure)) break;
    environment.meters.chains_broken.add();
  }
  environment.logger.warning("received events were not stored",
                             {{"room_id", request.room_id.view()}, {"error", failure.text}});
  return failure;
}

}  // namespace backplane::room_server
