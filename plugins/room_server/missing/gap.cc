#include "missing/gap.h"

#include <algorithm>
#include <chrono>
#include <unordered_set>
#include <utility>

#include "backplane/api/ask.h"
#include "backplane/matrix/event.h"
#include "input/input.h"

namespace backplane::room_server {
namespace {

using api::ReceivedKind;
using api::ReceivedOutcome;

constexpr std::size_t events_at_once = 1000;
/// How many events of a gap are asked for; behind them the state is.
constexpr std::uint32_t max_events_between = 20;
/// So often something is asked for, for one event.
constexpr int max_rounds = 30;
/// More state than that is asked for as a whole, when it is much of the whole.
constexpr std::size_t max_single_events = 50;
/// More than that are not asked for one by one.
constexpr std::size_t max_single_requests = 500;
/// No room has a state of so many events.
constexpr std::size_t max_ids = 500'000;
/// What is held in memory for one event: the state of a room of some 200,000 members.
constexpr std::size_t max_bytes = std::size_t{256} << 20;
/// Of events whose signatures are checked in one request: bodies between hosts have a limit.
constexpr std::size_t max_bytes_at_once = std::size_t{16} << 20;
/// So often events that came in any order are gone through for those that can be taken by now.
constexpr int max_passes = 5;
/// For all that is asked of a server at once.
constexpr std::chrono::minutes time_limit(2);

}  // namespace

Task<Result<bool>> Gap::fill(api::ReceivedEvent event) {
  const auto parsed = matrix::Event::parse_untrusted(event.event.text, version_);
  if (!parsed) co_return true;  // it was taken for an event by an older version of this server
  set_deadline();
  event.event.text = parsed->json();
  BACKPLANE_CO_TRY(first_depth, find_first_depth());
  first_depth_ = first_depth;
  const std::vector<EventId> wanted{parsed->event_id()};
  coming_.push_back({wanted.front(), parsed->depth(), std::move(event), {}, {}});
  BACKPLANE_CO_CHECK(take());
  const auto itself = std::ranges::find(coming_, wanted.front(), &Coming::event_id);
  if (itself != coming_.end() && !itself->missing_prev_events.empty() && !is_over()) {
    BACKPLANE_CO_CHECK(co_await ask_for_events_between(wanted.front()));
    BACKPLANE_CO_CHECK(take());
  }
  BACKPLANE_CO_CHECK(co_await settle(wanted));
  co_return !is_coming(wanted.front());
}

Task<Result<bool>> Gap::fill(api::ReceivedEvent event, std::vector<json::Raw> outliers) {
  coming_ = parse(std::move(outliers), ReceivedKind::outlier);
  return fill(std::move(event));
}

Task<Result<bool>> Gap::backfill(std::vector<EventId> event_ids, std::uint32_t limit) {
  set_deadline();
  kind_ = ReceivedKind::history;
  const api::GetBackfillRequest request{server_, room_id_, event_ids, limit};
  auto response = co_await api::ask(others_.workers, others_.federation.get_backfill, request, context_);
  if (!response) {
    note("did not tell of history", response.error());
    co_return false;
  }
  if (response->events.size() > limit) response->events.resize(limit);
  BACKPLANE_CO_CHECK(co_await add(std::move(response->events), kind_));
  std::erase_if(event_ids, [&](const EventId& event_id) { return !is_coming(event_id); });
  const std::size_t came = event_ids.size();
  BACKPLANE_CO_CHECK(take());
  BACKPLANE_CO_CHECK(co_await settle(event_ids));
  std::erase_if(event_ids, [&](const EventId& event_id) { return is_coming(event_id); });
  co_return came != 0 && !event_ids.empty();
}

Task<Result<void>> Gap::settle(std::vector<EventId> wanted) {
  const auto is_done = [&] {
    return std::ranges::none_of(wanted, [&](const EventId& event_id) { return is_coming(event_id); });
  };
  for (int round = 0; round < max_rounds && !is_done() && !is_over(); ++round) {
    EventId chain_of, branch_at;
    for (const Coming& coming : coming_) {
      if (coming.received.kind == ReceivedKind::outlier) continue;
      if (!coming.missing_auth_events.empty() && !asked_chains_.contains(coming.event_id)) {
        chain_of = coming.event_id;
        break;
      }
      if (coming.received.state_before) continue;  // what it follows may be missing
      const auto missing = std::ranges::find_if(coming.missing_prev_events, [&](const EventId& event_id) {
        return !is_coming(event_id) && !asked_branches_.contains(event_id);
      });
      if (missing != coming.missing_prev_events.end()) {
        branch_at = *missing;
        break;
      }
    }
    if (!chain_of.empty()) BACKPLANE_CO_CHECK(co_await ask_for_auth_chain(chain_of));
    else if (!branch_at.empty()) BACKPLANE_CO_CHECK(co_await ask_for_branch(branch_at));
    else break;
    BACKPLANE_CO_CHECK(take());
  }
  co_return Result<void>();
}

Result<void> Gap::take() {
  std::ranges::stable_sort(coming_, {}, &Coming::depth);
  bool more = true;
  for (int pass = 0; pass < max_passes && more && !coming_.empty(); ++pass) {
    more = false;
    const bool is_several = coming_.size() > events_at_once;
    for (std::size_t first = 0; first < coming_.size();) {
      const std::size_t count = std::min(events_at_once, coming_.size() - first), before = coming_.size();
      BACKPLANE_CHECK(take_some(first, count));
      const std::size_t taken = before - coming_.size();
      // A single request puts its events in order by itself.
      more |= is_several && taken != 0;
      first += count - taken;
    }
  }
  return {};
}

Result<void> Gap::take_some(std::size_t first, std::size_t count) {
  api::ReceiveEventsRequest request{room_id_, {}};
  for (std::size_t i = first; i < first + count; ++i) request.events.push_back(coming_[i].received);
  BACKPLANE_TRY(response, receive_events(environment_, request));
  for (std::size_t i = 0; i < count; ++i) {
    Coming& coming = coming_[first + i];
    api::ReceivedResult& result = response.results[i];
    if (result.outcome == ReceivedOutcome::incomplete) {
      coming.missing_prev_events = std::move(result.missing_prev_events);
      coming.missing_auth_events = std::move(result.missing_auth_events);
    } else {
      coming.event_id = EventId();
    }
  }
  std::erase_if(coming_, [](const Coming& coming) { return coming.event_id.empty(); });
  return {};
}

bool Gap::is_coming(const EventId& event_id) const {
  return std::ranges::find(coming_, event_id, &Coming::event_id) != coming_.end();
}

Result<std::vector<EventId>> Gap::unknown_of(std::vector<EventId> event_ids) {
  std::unordered_set<EventId> known;
  for (const Coming& coming : coming_) known.insert(coming.event_id);
  BACKPLANE_CHECK(environment_.store.read([&](storage::Session& session) {
    const auto room = tables::find_room(session, room_id_);
    if (!room) return;
    tables::each_state_entry(session, room->number, event_ids,
                             [&](EventId event_id, const StateEntry&) { known.insert(std::move(event_id)); });
  }));
  std::erase_if(event_ids, [&](const EventId& event_id) { return !known.insert(event_id).second; });
  return event_ids;
}

std::vector<Gap::Coming> Gap::parse(std::vector<json::Raw> events, ReceivedKind kind) {
  std::vector<Coming> parsed;
  std::unordered_set<EventId> seen;
  std::size_t bytes = bytes_coming();
  for (const Coming& coming : coming_) seen.insert(coming.event_id);
  const matrix::ReferenceLimits limits =
      kind == ReceivedKind::history ? matrix::ReferenceLimits::unchecked : matrix::ReferenceLimits::checked;
  for (const json::Raw& raw : events) {
    const auto event = matrix::Event::parse_untrusted(raw.text, version_, limits);
    if (!event) {
      note("sent what is no event", event.error());
    } else if (event->room_id() != room_id_) {
      note("sent an event of another room", {});
    } else if (seen.insert(event->event_id()).second) {
      bytes += event->json().size();
      if (bytes > max_bytes) {
        note("sent too much", {});
        break;
      }
      const ReceivedKind its_kind = kind == ReceivedKind::outlier ? kind : kind_at(event->depth());
      parsed.push_back(
          {event->event_id(), event->depth(), {{std::string(event->json())}, its_kind, std::nullopt}, {}, {}});
    }
  }
  return parsed;
}

Task<Result<void>> Gap::add(std::vector<json::Raw> events, ReceivedKind kind) {
  std::vector<Coming> parsed = parse(std::move(events), kind);
  if (kind == ReceivedKind::outlier) {
    std::vector<EventId> event_ids;
    for (const Coming& coming : parsed) event_ids.push_back(coming.event_id);
    BACKPLANE_CO_TRY(unknown, unknown_of(std::move(event_ids)));
    const std::unordered_set<EventId> is_unknown(unknown.begin(), unknown.end());
    std::erase_if(parsed, [&](const Coming& coming) { return !is_unknown.contains(coming.event_id); });
  }
  for (std::size_t first = 0, end = 0; first < parsed.size() && !is_over(); first = end) {
    api::VerifyEventsRequest request;
    for (std::size_t asked = 0; end < parsed.size() && end - first < events_at_once; ++end) {
      const json::Raw& event = parsed[end].received.event;
      asked += event.text.size();
      if (end != first && asked > max_bytes_at_once) break;
      request.events.push_back({event, RoomVersionId(std::string(version_.id))});
    }
    BACKPLANE_CO_TRY(response, co_await api::ask(others_.workers, others_.keys.verify_events, request, context_));
    if (response.events.size() != end - first) co_return internal_error("verify_events left events out");
    for (std::size_t i = first; i < end; ++i) {
      const api::VerifiedEvent& verified = response.events[i - first];
      if (verified.verified) coming_.push_back(std::move(parsed[i]));
      else note("sent an event that is not signed as it should be", invalid("", verified.reason));
    }
  }
  co_return Result<void>();
}

Task<Result<void>> Gap::ask_for_events_between(EventId event_id) {
  api::GetMissingEventsRequest request;
  request.destination = server_;
  request.room_id = room_id_;
  request.latest_events = {event_id};
  request.limit = max_events_between;
  request.min_depth = first_depth_;
  {
    auto lane = environment_.lanes.enter(room_id_);
    if (!lane) co_return std::move(lane).error();
    for (const Tip& tip : lane->head().tips()) request.earliest_events.push_back(tip.event_id);
  }
  auto response = co_await api::ask(others_.workers, others_.federation.get_missing_events, request, context_);
  if (!response) {
    note("did not tell of missing events", response.error());
    co_return Result<void>();
  }
  if (response->events.size() > max_events_between) response->events.resize(max_events_between);
  co_return co_await add(std::move(response->events), kind_);
}

Task<Result<void>> Gap::ask_for_auth_chain(EventId event_id) {
  asked_chains_.insert(event_id);
  const api::GetRemoteStateRequest request{server_, room_id_, event_id};
  auto response = co_await api::ask(others_.workers, others_.federation.get_event_auth, request, context_);
  if (!response) {
    note("did not tell of an event's auth chain", response.error());
    co_return Result<void>();
  }
  co_return co_await add(std::move(response->events), ReceivedKind::outlier);
}

Task<Result<void>> Gap::ask_for_branch(EventId event_id) {
  asked_branches_.insert(event_id);
  const api::GetRemoteStateRequest request{server_, room_id_, event_id};
  auto ids = co_await api::ask(others_.workers, others_.federation.get_state_ids, request, context_);
  if (!ids) {
    note("did not tell of the state at an event", ids.error());
    co_return Result<void>();
  }
  if (ids->state.size() + ids->auth_chain.size() > max_ids) {
    note("named too many events", {});
    co_return Result<void>();
  }
  std::vector<EventId> all = ids->state;
  all.insert(all.end(), ids->auth_chain.begin(), ids->auth_chain.end());
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  const std::size_t among = all.size();
  BACKPLANE_CO_TRY(unknown, unknown_of(std::move(all)));
  BACKPLANE_CO_TRY(events, co_await ask_for_events(std::move(unknown), among, event_id));
  BACKPLANE_CO_CHECK(co_await add(std::move(events), ReceivedKind::outlier));

  std::vector<EventId> itself{event_id};
  BACKPLANE_CO_TRY(branch, co_await ask_for_events(std::move(itself), 1, event_id));
  BACKPLANE_CO_CHECK(co_await add(std::move(branch), kind_));
  const auto coming = std::ranges::find(coming_, event_id, &Coming::event_id);
  if (coming != coming_.end()) {
    coming->received.kind = kind_at(coming->depth);
    coming->received.state_before = std::move(ids->state);
  }
  co_return Result<void>();
}

Task<Result<std::vector<json::Raw>>> Gap::ask_for_events(std::vector<EventId> event_ids, std::size_t among,
                                                         EventId state_at) {
  std::vector<json::Raw> events;
  std::size_t bytes = bytes_coming();
  const bool is_much = event_ids.size() > max_single_events && event_ids.size() * 10 > among;
  if (is_much || event_ids.size() > max_single_requests) {
    const api::GetRemoteStateRequest request{server_, room_id_, state_at};
    auto response = co_await api::ask(others_.workers, others_.federation.get_state, request, context_);
    if (!response) {
      note("did not answer the state at an event", response.error());
      co_return std::move(events);
    }
    const std::unordered_set<EventId> wanted(event_ids.begin(), event_ids.end());
    for (json::Raw& raw : response->events) {
      const auto event = matrix::Event::parse_untrusted(raw.text, version_);
      if (!event || !wanted.contains(event->event_id())) continue;
      bytes += event->json().size();
      if (bytes > max_bytes) {
        note("sent too much", {});
        break;
      }
      events.push_back({std::string(event->json())});
      raw = {};
    }
    co_return std::move(events);
  }
  for (std::size_t first = 0; first < event_ids.size() && bytes <= max_bytes && !is_over();
       first += max_single_events) {
    std::vector<api::GetRemoteEventRequest> requests;
    for (std::size_t i = first; i < std::min(first + max_single_events, event_ids.size()); ++i)
      requests.push_back({server_, event_ids[i]});
    auto responses = co_await api::ask_all(others_.workers, others_.federation.get_event, requests, context_);
    for (auto& response : responses) {
      if (!response) {
        note("did not answer an event", response.error());
        continue;
      }
      bytes += response->event.text.size();
      events.push_back(std::move(response->event));
    }
  }
  co_return std::move(events);
}

void Gap::set_deadline() { context_.deadline = environment_.clock.now() + time_limit; }

ReceivedKind Gap::kind_at(std::int64_t depth) const { return depth < first_depth_ ? ReceivedKind::history : kind_; }

Result<std::int64_t> Gap::find_first_depth() {
  return environment_.store.read([&](storage::Session& session) -> std::int64_t {
    const auto room = tables::find_room(session, room_id_);
    if (!room) return 0;
    const std::int64_t from = tables::messages_from(session, room->number);
    const auto message = tables::find_message_from(session, room->number, from);
    const auto event = message ? tables::find_event(session, room->number, message->ordinal)
                               : tables::find_last_event(session, room->number);
    return event ? event->depth : 0;
  });
}

bool Gap::is_over() const {
  return (until_ != nullptr && until_->is_closed()) || environment_.clock.now() >= context_.deadline;
}

bool Gap::server_failed() const { return server_failed_ || environment_.clock.now() >= context_.deadline; }

std::size_t Gap::bytes_coming() const {
  std::size_t bytes = 0;
  for (const Coming& coming : coming_) bytes += coming.received.event.text.size();
  return bytes;
}

void Gap::note(const char* what, const Error& error) {
  server_failed_ |= error.code == ErrorCode::unavailable || error.code == ErrorCode::timeout;
  environment_.logger.info(
      "another server was of no help",
      {{"server", server_.view()}, {"room_id", room_id_.view()}, {"what", what}, {"error", error.text}});
}

}  // namespace backplane::room_server
