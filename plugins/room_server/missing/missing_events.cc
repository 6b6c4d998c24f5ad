#include "missing/missing_events.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <utility>

#include "input/input.h"

namespace backplane::room_server {
namespace {

constexpr std::size_t max_rooms = 100;
constexpr std::size_t events_at_once = 100;
/// What one page of history is worth.
constexpr std::size_t max_extremities = 5, max_servers = 3;
constexpr std::uint32_t max_backfill = 100;
/// Pauses before further attempts; after the last one an event is given up.
constexpr std::array<std::chrono::minutes, 3> pauses{std::chrono::minutes(1), std::chrono::minutes(10),
                                                     std::chrono::minutes(60)};

api::ReceivedEvent received(const WaitingEventRow& row) {
  return {{row.json}, api::ReceivedKind::new_event, std::nullopt};
}

}  // namespace

void MissingEvents::wake(const RoomId& room_id) {
  if (can_ask()) begin(room_id);
}

void MissingEvents::wake_due() {
  if (!can_ask()) return;
  const auto rooms = environment_.store.read(
      [&](storage::Session& session) { return tables::list_rooms_that_wait(session, environment_.clock.wall_ms()); });
  if (!rooms) return environment_.logger.warning("events go on waiting", {{"error", rooms.error().text}});
  for (const RoomId& room_id : *rooms) {
    if (environment_.lanes.chain_of(room_id)) begin(room_id);  // others' are theirs to see to
  }
}

void MissingEvents::begin(const RoomId& room_id) {
  const auto entry = std::make_shared<Gate::Entry>(gate_.enter());
  if (!*entry) return;
  {
    const std::lock_guard lock(mutex_);
    if (const auto at = under_way_.find(room_id); at != under_way_.end()) {
      at->second = true;
      return;
    }
    if (under_way_.size() >= max_rooms) return;  // wake_due() finds it
    under_way_.emplace(room_id, false);
  }
  const auto work = [this, room_id, entry] {
    start<void>(see_to(room_id), [this, room_id, entry](Result<void> result) {
      if (!result && result.error().reason != "not_owner")
        environment_.logger.warning("events go on waiting",
                                    {{"room_id", room_id.view()}, {"error", result.error().text}});
      end(room_id);
    });
  };
  if (!others_.workers.submit(work)) end(room_id);
}

void MissingEvents::end(const RoomId& room_id) {
  bool again = false;
  {
    const std::lock_guard lock(mutex_);
    const auto at = under_way_.find(room_id);
    again = at->second;
    under_way_.erase(at);
  }
  if (again) begin(room_id);
}

Task<Result<void>> MissingEvents::see_to(RoomId room_id) {
  for (bool more = true; more && !gate_.is_closed();) {
    BACKPLANE_CO_TRY(
        room, environment_.store.read([&](storage::Session& session) { return tables::find_room(session, room_id); }));
    const matrix::RoomVersion* const version = room ? matrix::find_room_version(room->version) : nullptr;
    if (version == nullptr) break;
    BACKPLANE_CO_TRY(has_more, co_await see_to_one(*room, *version));
    more = has_more;
  }
  co_return Result<void>();
}

Task<Result<bool>> MissingEvents::see_to_one(const RoomRow& room, const matrix::RoomVersion& version) {
  BACKPLANE_CO_TRY(waiting, environment_.store.read([&](storage::Session& session) {
    return tables::list_waiting_events(session, room.number, environment_.clock.wall_ms(), events_at_once);
  }));
  if (waiting.empty()) co_return false;
  // What they wait for may have come by now.
  api::ReceiveEventsRequest request{room.room_id, {}};
  for (const WaitingEventRow& row : waiting) request.events.push_back(received(row));
  BACKPLANE_CO_TRY(response, receive_events(environment_, request));
  std::vector<EventId> done;
  const WaitingEventRow* first = nullptr;
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    if (response.results[i].outcome != api::ReceivedOutcome::incomplete) done.push_back(waiting[i].event_id);
    else if (first == nullptr) first = &waiting[i];
  }
  if (first != nullptr) {
    BACKPLANE_CO_TRY(server, server_for(room, *first));
    Gap gap(environment_, others_, room.room_id, version, server);
    BACKPLANE_CO_TRY(filled, co_await gap.fill(received(*first)));
    if (filled) done.push_back(first->event_id);
    else BACKPLANE_CO_CHECK(set_aside(room, *first));
  }
  BACKPLANE_CO_CHECK(forget(room, done));
  co_return true;
}

void MissingEvents::backfill(const api::BackfillRequest& request, const api::Reply<api::BackfillResponse>& reply) {
  const auto entry = std::make_shared<Gate::Entry>(gate_.enter());
  if (!*entry || !can_ask()) return (void)reply(api::BackfillResponse{});
  auto extremities = environment_.store.read([&](storage::Session& session) {
    const auto room = tables::find_room(session, request.room_id);
    return room ? tables::list_backward_extremities(session, room->number, request.depth, max_extremities)
                : std::vector<EventId>();
  });
  if (!extremities) return (void)reply(std::move(extremities).error());
  if (extremities->empty()) return (void)reply(api::BackfillResponse{});
  start<api::BackfillResponse>(get_history(request, std::move(*extremities)),
                               [entry, reply](Result<api::BackfillResponse> response) { reply(std::move(response)); });
}

Task<Result<api::BackfillResponse>> MissingEvents::get_history(api::BackfillRequest request,
                                                               std::vector<EventId> event_ids) {
  BACKPLANE_CO_TRY(room, environment_.store.read(
                             [&](storage::Session& session) { return tables::find_room(session, request.room_id); }));
  const matrix::RoomVersion* const version = room ? matrix::find_room_version(room->version) : nullptr;
  if (version == nullptr) co_return api::BackfillResponse{};
  BACKPLANE_CO_TRY(servers, other_servers(*room));
  for (std::size_t i = 0; i < std::min(servers.size(), max_servers) && !gate_.is_closed(); ++i) {
    Gap gap(environment_, others_, room->room_id, *version, servers[i]);
    BACKPLANE_CO_TRY(came, co_await gap.backfill(event_ids, std::clamp(request.limit, 1U, max_backfill)));
    if (came) co_return api::BackfillResponse{true};
  }
  co_return api::BackfillResponse{};
}

Result<std::vector<ServerName>> MissingEvents::other_servers(const RoomRow& room) const {
  BACKPLANE_TRY(servers, environment_.store.read([&](storage::Session& session) {
    return tables::list_joined_servers(session, room.number);
  }));
  std::erase(servers, environment_.server_name);
  return std::move(servers);
}

/// The one that sent it, then others in turn.
Result<ServerName> MissingEvents::server_for(const RoomRow& room, const WaitingEventRow& event) const {
  if (event.attempts == 0) return event.origin;
  BACKPLANE_TRY(servers, other_servers(room));
  std::erase(servers, event.origin);
  servers.insert(servers.begin(), event.origin);
  return servers[static_cast<std::size_t>(event.attempts) % servers.size()];
}

Result<void> MissingEvents::forget(const RoomRow& room, const std::vector<EventId>& event_ids) {
  if (event_ids.empty()) return {};
  BACKPLANE_TRY(chain, environment_.lanes.chain_of(room.room_id));
  return environment_.store.write(
      [&](storage::Write& write) { tables::delete_waiting_events(write, room.number, event_ids); }, chain);
}

Result<void> MissingEvents::set_aside(const RoomRow& room, WaitingEventRow event) {
  const auto attempt = static_cast<std::size_t>(event.attempts++);
  if (attempt >= pauses.size()) {
    environment_.logger.warning(
        "gave an event up",
        {{"event_id", event.event_id.view()}, {"room_id", room.room_id.view()}, {"origin", event.origin.view()}});
    given_up_.add();
    return forget(room, {event.event_id});
  }
  event.next_attempt_ms = environment_.clock.wall_ms() + std::chrono::milliseconds(pauses[attempt]).count();
  BACKPLANE_TRY(chain, environment_.lanes.chain_of(room.room_id));
  return environment_.store.write(
      [&](storage::Write& write) { tables::postpone_waiting_event(write, room.number, event); }, chain);
}

}  // namespace backplane::room_server
