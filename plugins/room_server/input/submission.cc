#include "input/submission.h"

#include <algorithm>
#include <utility>

#include "backplane/base/encoding.h"

namespace backplane::room_server {
namespace {

/// A room whose disk fails again and again is not tried for ever.
constexpr int max_attempts = 4;

/// The first result of a request that was made before, as far as that is committed and this process can tell cheaply.
Result<std::optional<Submitted>> find_committed(Environment& environment, const RequestName& name) {
  Transactions& transactions = environment.transactions;
  std::optional<Submitted> found;
  if (const auto recent = transactions.find_recent(name.transaction_key)) {
    found = Submitted{recent->event_id, recent->position};
  } else if (!transactions.sends_new(name.device)) {
    BACKPLANE_TRY(stored, environment.store.read([&](storage::Session& session) {
      return tables::find_transaction(session, name.transaction_key);
    }));
    transactions.set_sends_new(name.device, !stored);
    if (stored) {
      transactions.add(name.transaction_key, *stored);
      found = Submitted{std::move(stored->event_id), stored->position};
    }
  }
  if (found) environment.meters.repeated_transactions.add();
  return found;
}

bool is_broken_chain(const Error& error) { return error.code == ErrorCode::conflict && error.reason == "chain_broken"; }
bool is_constraint(const Error& error) { return error.code == ErrorCode::conflict && error.reason == "constraint"; }

/// An entry of the head, once all that it builds on is committed.
Result<Submitted> existing_entry(Environment& environment, RoomNumber room, const HeadState& entry,
                                 const std::shared_ptr<Pending>& before) {
  if (before) BACKPLANE_CHECK(Result<void>(before->wait()));
  auto position = environment.store.read(
      [&](storage::Session& session) { return tables::find_position(session, room, entry.ordinal); });
  if (!position) return std::move(position).error();
  if (!*position) return conflict("chain_broken", "the event was not committed");
  return Submitted{entry.event_id, **position};
}

}  // namespace

RequestName request_name(const api::IdempotencyKey& key) {
  if (!key.present()) return {};
  RequestName name;
  for (const std::string_view part : {key.user.view(), key.device.view()}) {
    name.device += part;
    name.device += '\0';
  }
  std::string text = name.device + key.endpoint;
  text += '\0';
  text += key.transaction_id.view();
  name.transaction_key = base64(as_text(sha256(text)).substr(0, 16));
  return name;
}

bool may_be_tried_again(const Error& failure) {
  return is_broken_chain(failure) || (failure.code == ErrorCode::unavailable && failure.reason == "not_owner");
}

Result<void> leave_when_stored(LaneGuard& lane) {
  const std::shared_ptr<Pending> before = lane.last_queued();
  lane.leave();
  if (before && !before->wait().ok()) return unavailable("storage", "the room could not be written to");
  return {};
}

Result<Submitted> submit_in_lane(Environment& environment, const RoomId& room_id, const RequestName& name,
                                 const std::function<Result<Attempt>(LaneGuard&)>& attempt) {
  const bool has_transaction = !name.transaction_key.empty();
  Error failure = unavailable("busy", "the rules of the room changed again and again");
  for (int i = 0; i < max_attempts; ++i) {
    if (has_transaction) {
      BACKPLANE_TRY(committed, find_committed(environment, name));
      if (committed) return std::move(*committed);
    }
    BACKPLANE_TRY(lane, environment.lanes.enter(room_id));
    const std::shared_ptr<Pending> repeated = has_transaction ? lane.find_transaction(name.transaction_key) : nullptr;
    if (repeated) environment.meters.repeated_transactions.add();
    auto tried = repeated ? Result<Attempt>(Attempt{repeated, {}, {}}) : attempt(lane);
    if (!tried) return std::move(tried).error();
    const RoomNumber room = lane.head().room().number;
    const std::shared_ptr<Pending> before = tried->existing ? lane.last_queued() : nullptr;
    lane.leave();

    if (tried->outside) {
      BACKPLANE_CHECK(tried->outside());
      continue;
    }
    if (tried->existing) {
      auto existing = existing_entry(environment, room, *tried->existing, before);
      if (existing) return existing;
      failure = std::move(existing).error();
      continue;
    }
    const Pending& pending = *tried->pending;
    if (const Result<void>& committed = pending.wait()) {
      if (has_transaction && !repeated) {
        environment.transactions.add(name.transaction_key, {pending.event_id(), pending.position()});
      }
      return Submitted{pending.event_id(), pending.position()};
    } else {
      failure = committed.error();
    }
    if (may_be_tried_again(failure)) {
      // A victim of what failed before it; or the room has gone to another host, which entering its lane tells: unless
      // it has come back already, or was here all the time and only the connection was lost.
      environment.meters.chains_broken.add();
    } else if (has_transaction && is_constraint(failure)) {
      environment.transactions.set_sends_new(name.device, false);  // the guess was wrong, or both came at once
    } else {
      break;
    }
  }
  environment.logger.warning("change of a room failed", {{"room_id", room_id.view()}, {"error", failure.text}});
  if (is_broken_chain(failure)) return unavailable("storage", "the room could not be written to");
  return failure;
}

std::shared_ptr<Pending> submit_events(Environment& environment, LaneGuard& lane, std::vector<NewEvent> events,
                                       const std::string& transaction_key, std::function<void(storage::Write&)> more) {
  struct Work {
    Environment& environment;
    RoomRow room;
    std::vector<NewEvent> events;
    std::string transaction_key;
    std::function<void(storage::Write&)> more;
    ChangedBodies changed;
  };
  std::vector<GraphEvent> places;
  for (const NewEvent& event : events) places.push_back(event.place());
  environment.meters.events_accepted.add(static_cast<std::uint64_t>(
      std::ranges::count_if(events, [](const NewEvent& event) { return may_be_followed(event.row.status); })));
  const auto work = std::make_shared<Work>(
      Work{environment, lane.head().room(), std::move(events), transaction_key, std::move(more), {}});
  const EventRow& last = work->events.back().row;
  auto submitted = lane.submit(
      last.event_id, transaction_key,
      [work](storage::Write& write, Pending& pending) -> Result<void> {
        const auto position = store_events(work->environment, write, work->room, work->events, work->changed);
        if (position) pending.set_position(*position);
        if (work->more) work->more(write);
        if (!work->transaction_key.empty()) {
          tables::insert_transaction(write, work->transaction_key, work->room.number, work->events.back().row.ordinal,
                                     work->environment.clock.wall_ms() / 1000);
        }
        return {};
      },
      [work] {
        for (const auto& body : work->changed) work->environment.bodies.replace(body);
      });
  lane.head().remember(submitted, std::move(places));
  return submitted;
}

Result<bool> is_repeated_state(Environment& environment, LaneGuard& lane, matrix::EventDraft& draft,
                               const matrix::Event& current) {
  if (!current || current.sender() != draft.sender || current.content() != draft.content) return false;
  complete_draft(environment, lane.head(), draft);
  BACKPLANE_CHECK(check_draft(environment, lane.head(), draft));
  return true;
}

}  // namespace backplane::room_server
