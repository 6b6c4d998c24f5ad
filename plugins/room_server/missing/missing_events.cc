#include "missing/missing_events.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "input/input.h"

namespace backplane::room_server {
namespace {

/// Rooms in line; so many of them are seen to at once: what comes for each is held in memory.
constexpr std::size_t max_rooms = 100, max_at_once = 4;
constexpr std::size_t events_at_once = 100;
/// For the last request of each that is asked. Nothing more is asked for after it.
constexpr std::chrono::minutes stop_limit(1);
/// All that may wait in a room.
constexpr std::size_t max_received_at_once = 1000;
/// What one page of history is worth.
constexpr std::size_t max_extremities = 5, max_servers = 3;
constexpr std::uint32_t max_backfill = 100;
/// Of rooms whose history is asked for at once; one request of each.
constexpr std::size_t max_backfills = 8;
constexpr std::chrono::minutes pause_of_extremity(1);
/// Pauses before further attempts; after the last one an event is given up.
constexpr std::array<std::chrono::minutes, 3> pauses{std::chrono::minutes(1), std::chrono::minutes(10),
                                                     std::chrono::minutes(60)};

api::ReceivedEvent received(const WaitingEventRow& row) {
  return {{row.json}, api::ReceivedKind::new_event, std::nullopt};
}

/// The one that sent it, then others in turn.
ServerName server_for(const WaitingEventRow& event, const std::vector<ServerName>& in_room) {
  std::vector<ServerName> servers{event.origin};
  for (const ServerName& server : in_room) {
    if (server != event.origin) servers.push_back(server);
  }
  return servers[static_cast<std::size_t>(event.attempts) % servers.size()];
}

bool is_taken(api::ReceivedOutcome outcome) {
  return outcome == api::ReceivedOutcome::accepted || outcome == api::ReceivedOutcome::soft_failed ||
         outcome == api::ReceivedOutcome::rejected;
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

void MissingEvents::stop() {
  if (gate_.close_and_wait(environment_.clock, environment_.clock.now() + stop_limit)) return;
  environment_.logger.error("stopped while other servers are being asked", {{"under_way", gate_.inside()}});
}

void MissingEvents::begin(const RoomId& room_id) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto at = under_way_.find(room_id); at != under_way_.end()) {
      at->second = true;
    } else if (under_way_.size() < max_rooms) {  // else wake_due() finds it
      under_way_.emplace(room_id, false);
      line_.push_back(room_id);
    }
  }
  go_on();
}

void MissingEvents::go_on() {
  const auto entry = std::make_shared<Gate::Entry>(gate_.enter());
  if (!*entry) return;
  RoomId room_id;
  {
    const std::lock_guard lock(mutex_);
    if (running_ == max_at_once || line_.empty()) return;
    room_id = std::move(line_.front());
    line_.pop_front();
    ++running_;
  }
  const auto work = [this, room_id, entry] {
    start<bool>(see_to(room_id), [this, room_id, entry](const Result<bool>& more) {
      if (!more && more.error().reason != "not_owner")
        environment_.logger.warning("events go on waiting",
                                    {{"room_id", room_id.view()}, {"error", more.error().text}});
      end(room_id, more && *more);
      go_on();
    });
  };
  if (!others_.workers.submit(work)) end(room_id, false);  // wake_due() goes on
}

void MissingEvents::end(const RoomId& room_id, bool more) {
  const std::lock_guard lock(mutex_);
  --running_;
  const auto at = under_way_.find(room_id);
  if (more || at->second) {
    at->second = false;
    line_.push_back(room_id);
  } else {
    under_way_.erase(at);
  }
}

bool MissingEvents::is_somebody_in_line() const {
  const std::lock_guard lock(mutex_);
  return !line_.empty();
}

Task<Result<bool>> MissingEvents::see_to(RoomId room_id) {
  BACKPLANE_CO_TRY(
      room, environment_.store.read([&](storage::Session& session) { return tables::find_room(session, room_id); }));
  const matrix::RoomVersion* const version = room ? matrix::find_room_version(room->version) : nullptr;
  if (version == nullptr) co_return false;
  std::set<ServerName> down;
  bool more = true;
  do {
    BACKPLANE_CO_TRY(has_more, co_await see_to_one(*room, *version, down));
    more = has_more;
  } while (more && !gate_.is_closed() && !is_somebody_in_line());
  co_return more;
}

Task<Result<bool>> MissingEvents::see_to_one(const RoomRow& room, const matrix::RoomVersion& version,
                                             std::set<ServerName>& down) {
  bool some_wait = true;
  BACKPLANE_CO_TRY(due, environment_.store.read([&](storage::Session& session) {
    auto events = tables::list_waiting_events(session, room.number, environment_.clock.wall_ms(), events_at_once);
    some_wait = !events.empty() || tables::count_waiting_events(session, room.number) != 0;
    return events;
  }));
  if (!some_wait) {
    const std::lock_guard lock(mutex_);
    const auto awaited = awaited_.find(room.room_id);
    if (awaited != awaited_.end() && !awaited->second.is_received) awaited_.erase(awaited);
  }
  if (due.empty()) co_return false;
  BACKPLANE_CO_TRY(waiting, receive(room, std::move(due)));
  if (waiting.empty()) co_return true;
  BACKPLANE_CO_TRY(servers, other_servers(room));
  std::vector<WaitingEventRow> aside, to_fill;
  for (WaitingEventRow& event : waiting) {
    const bool is_down = down.contains(server_for(event, servers));
    (is_down ? aside : to_fill).push_back(std::move(event));
  }
  if (!to_fill.empty()) {
    const WaitingEventRow& first = to_fill.front();
    const ServerName server = server_for(first, servers);
    Gap gap(environment_, others_, room.room_id, version, server, &gate_);
    const Result<bool> filled = co_await gap.fill(received(first));
    if (gate_.is_closed() && !(filled && *filled)) co_return false;  // it goes on after the start
    if (!filled) {
      if (filled.error().reason == "not_owner") co_return filled.error();  // the room is another host's to see to
      environment_.logger.warning("what an event waits for does not help it",
                                  {{"event_id", first.event_id.view()}, {"error", filled.error().text}});
    }
    if (gap.server_failed()) down.insert(server);
    if (filled && *filled) BACKPLANE_CO_CHECK(forget(room, {first.event_id}));
    else aside.push_back(first);
  }
  BACKPLANE_CO_CHECK(set_aside(room, std::move(aside)));
  co_return true;
}

Result<std::vector<WaitingEventRow>> MissingEvents::receive(const RoomRow& room, std::vector<WaitingEventRow> waiting) {
  api::ReceiveEventsRequest request{room.room_id, {}};
  for (const WaitingEventRow& row : waiting) request.events.push_back(received(row));
  const auto response = receive_events(environment_, request);
  if (response) {
    note_awaited(room.room_id, *response);
    std::vector<EventId> done;
    std::vector<WaitingEventRow> left;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (response->results[i].outcome != api::ReceivedOutcome::incomplete) done.push_back(waiting[i].event_id);
      else left.push_back(std::move(waiting[i]));
    }
    BACKPLANE_CHECK(forget(room, done));
    return left;
  }
  if (response.error().reason == "not_owner") return response.error();
  std::vector<WaitingEventRow> left;
  if (waiting.size() == 1) {
    environment_.logger.warning("a waiting event cannot be taken",
                                {{"event_id", waiting.front().event_id.view()}, {"error", response.error().text}});
    BACKPLANE_CHECK(set_aside(room, std::move(waiting)));
    return left;
  }
  // Not all of them have to wait for what is wrong with one.
  for (WaitingEventRow& row : waiting) {
    std::vector<WaitingEventRow> one;
    one.push_back(std::move(row));
    BACKPLANE_TRY(rest, receive(room, std::move(one)));
    std::ranges::move(rest, std::back_inserter(left));
  }
  return left;
}

void MissingEvents::note_awaited(const RoomId& room_id, const api::ReceiveEventsResponse& response) {
  const std::lock_guard lock(mutex_);
  for (const api::ReceivedResult& result : response.results) {
    if (result.missing_prev_events.empty() && result.missing_auth_events.empty()) continue;
    auto& event_ids = awaited_[room_id].event_ids;
    event_ids.insert(result.missing_prev_events.begin(), result.missing_prev_events.end());
    event_ids.insert(result.missing_auth_events.begin(), result.missing_auth_events.end());
  }
}

void MissingEvents::note_come(const RoomId& room_id, const api::ReceiveEventsResponse& response) {
  {
    const std::lock_guard lock(mutex_);
    const auto at = awaited_.find(room_id);
    if (at == awaited_.end()) return;
    bool is_awaited = false;
    for (const api::ReceivedResult& result : response.results) {
      if (is_taken(result.outcome)) is_awaited |= at->second.event_ids.erase(result.event_id) != 0;
    }
    if (!is_awaited) return;
    at->second.again = true;
    if (std::exchange(at->second.is_received, true)) return;
  }
  const auto entry = std::make_shared<Gate::Entry>(gate_.enter());
  if (*entry && others_.workers.submit([this, room_id, entry] { receive_while_some_come(room_id); })) return;
  const std::lock_guard lock(mutex_);
  awaited_.erase(room_id);  // wake_due() goes on
}

void MissingEvents::receive_while_some_come(const RoomId& room_id) {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      const auto at = awaited_.find(room_id);
      if (at == awaited_.end()) return;
      at->second.is_received = at->second.again && !gate_.is_closed();
      at->second.again = false;
      if (!at->second.is_received) return;
    }
    const Result<void> result = receive_all(room_id);
    if (!result && result.error().reason != "not_owner")
      environment_.logger.warning("events go on waiting",
                                  {{"room_id", room_id.view()}, {"error", result.error().text}});
  }
}

Result<void> MissingEvents::receive_all(const RoomId& room_id) {
  std::optional<RoomRow> room;
  BACKPLANE_TRY(waiting, environment_.store.read([&](storage::Session& session) {
    room = tables::find_room(session, room_id);
    return room ? tables::list_waiting_events(session, room->number, std::numeric_limits<std::int64_t>::max(),
                                              max_received_at_once)
                : std::vector<WaitingEventRow>();
  }));
  const bool is_none = waiting.empty();
  std::size_t left = 0;
  if (!is_none) {
    BACKPLANE_TRY(rest, receive(*room, std::move(waiting)));
    left = rest.size();
  }
  if (left == 0) {
    const std::lock_guard lock(mutex_);
    awaited_[room_id].event_ids.clear();
    if (!awaited_[room_id].again) awaited_.erase(room_id);
  }
  return {};
}

void MissingEvents::backfill(const api::BackfillRequest& request, const api::Reply<api::BackfillResponse>& reply) {
  const auto entry = std::make_shared<Gate::Entry>(gate_.enter());
  if (!*entry || !can_ask()) return (void)reply(api::BackfillResponse{});
  std::unordered_map<EventId, Instant> not_answered;
  bool is_too_much = false;
  {
    const std::lock_guard lock(mutex_);
    if (const auto at = backfills_.find(request.room_id); at != backfills_.end()) return at->second.push_back(reply);
    is_too_much = backfills_.size() >= max_backfills;
    if (!is_too_much) backfills_[request.room_id].push_back(reply);
    for (auto at = not_answered_.begin(); at != not_answered_.end();) {
      std::erase_if(at->second, [&](const auto& noted) { return noted.second <= environment_.clock.now(); });
      at = at->second.empty() ? not_answered_.erase(at) : std::next(at);
    }
    if (const auto at = not_answered_.find(request.room_id); at != not_answered_.end()) not_answered = at->second;
  }
  if (is_too_much) return (void)reply(api::BackfillResponse{});
  auto extremities = environment_.store.read([&](storage::Session& session) {
    const auto room = tables::find_room(session, request.room_id);
    const std::int64_t from = request.from_depth != 0 ? request.from_depth : std::numeric_limits<std::int64_t>::max();
    return room ? tables::list_backward_extremities(session, room->number, request.depth, from,
                                                    max_extremities + not_answered.size())
                : std::vector<EventId>();
  });
  if (!extremities) return answer_backfill(request.room_id, {}, extremities.error());
  std::erase_if(*extremities, [&](const EventId& event_id) { return not_answered.contains(event_id); });
  if (extremities->size() > max_extremities) extremities->resize(max_extremities);
  if (extremities->empty()) return answer_backfill(request.room_id, {}, api::BackfillResponse{});
  start<api::BackfillResponse>(
      get_history(request, *extremities),
      [this, entry, room_id = request.room_id, wanted = *extremities](const Result<api::BackfillResponse>& response) {
        answer_backfill(room_id, wanted, response);
      });
}

void MissingEvents::answer_backfill(const RoomId& room_id, const std::vector<EventId>& extremities,
                                    const Result<api::BackfillResponse>& response) {
  std::vector<EventId> left;
  const auto looked = environment_.store.read([&](storage::Session& session) {
    const auto room = tables::find_room(session, room_id);
    for (const EventId& event_id : extremities) {
      if (room && tables::find_awaited(session, room->number, event_id).by_followers) left.push_back(event_id);
    }
  });
  std::vector<api::Reply<api::BackfillResponse>> replies;
  {
    const std::lock_guard lock(mutex_);
    if (looked && response) {
      for (const EventId& event_id : left)
        not_answered_[room_id][event_id] = environment_.clock.now() + pause_of_extremity;
    }
    replies = std::move(backfills_.extract(room_id).mapped());
  }
  for (const auto& reply : replies) reply(response);
}

Task<Result<api::BackfillResponse>> MissingEvents::get_history(api::BackfillRequest request,
                                                               std::vector<EventId> event_ids) {
  BACKPLANE_CO_TRY(room, environment_.store.read(
                             [&](storage::Session& session) { return tables::find_room(session, request.room_id); }));
  const matrix::RoomVersion* const version = room ? matrix::find_room_version(room->version) : nullptr;
  if (version == nullptr) co_return api::BackfillResponse{};
  BACKPLANE_CO_TRY(servers, other_servers(*room));
  for (std::size_t i = 0; i < std::min(servers.size(), max_servers) && !gate_.is_closed(); ++i) {
    Gap gap(environment_, others_, room->room_id, *version, servers[i], &gate_);
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

Result<void> MissingEvents::forget(const RoomRow& room, const std::vector<EventId>& event_ids) {
  if (event_ids.empty()) return {};
  BACKPLANE_TRY(chain, environment_.lanes.chain_of(room.room_id));
  return environment_.store.write(
      [&](storage::Write& write) { tables::delete_waiting_events(write, room.number, event_ids); }, chain);
}

Result<void> MissingEvents::set_aside(const RoomRow& room, std::vector<WaitingEventRow> events) {
  if (events.empty()) return {};
  std::vector<EventId> hopeless;
  for (WaitingEventRow& event : events) {
    const auto attempt = static_cast<std::size_t>(event.attempts++);
    if (attempt < pauses.size()) {
      event.next_attempt_ms = environment_.clock.wall_ms() + std::chrono::milliseconds(pauses[attempt]).count();
      continue;
    }
    environment_.logger.warning(
        "gave an event up",
        {{"event_id", event.event_id.view()}, {"room_id", room.room_id.view()}, {"origin", event.origin.view()}});
    given_up_.add();
    hopeless.push_back(event.event_id);
  }
  BACKPLANE_TRY(chain, environment_.lanes.chain_of(room.room_id));
  return environment_.store.write(
      [&](storage::Write& write) {
        tables::delete_waiting_events(write, room.number, hopeless);
        for (const WaitingEventRow& event : events) {
          if (static_cast<std::size_t>(event.attempts) <= pauses.size())
            tables::postpone_waiting_event(write, room.number, event);
        }
      },
      chain);
}

}  // namespace backplane::room_server
