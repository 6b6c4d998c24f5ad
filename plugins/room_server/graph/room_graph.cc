#include "graph/room_graph.h"

#include <algorithm>
#include <utility>

namespace backplane::room_server {

Result<const GraphEvent*> RoomGraph::find(const EventId& event_id) {
  if (const GraphEvent* const kept = find_kept(event_id)) return kept;
  BACKPLANE_TRY(row, store_.read([&](storage::Session& session) {
    return tables::find_event(session, head_.room().number, event_id);
  }));
  return keep_stored(std::move(row));
}

Result<const GraphEvent*> RoomGraph::get(std::int64_t ordinal) {
  if (const auto at = by_ordinal_.find(ordinal); at != by_ordinal_.end()) return at->second;
  if (const GraphEvent* const queued = head_.find_queued(ordinal)) return queued;
  BACKPLANE_TRY(row, store_.read([&](storage::Session& session) {
    return tables::find_event(session, head_.room().number, ordinal);
  }));
  if (!row) return internal_error("an event of " + head_.room_id().str() + " is not stored");
  return keep_stored(std::move(row));
}

Result<std::unordered_map<EventId, StateEntry>> RoomGraph::find_state(std::span<const EventId> event_ids) {
  std::unordered_map<EventId, StateEntry> found;
  std::vector<EventId> stored;
  for (const EventId& event_id : event_ids) {
    const GraphEvent* const kept = find_kept(event_id);
    if (kept == nullptr) {
      stored.push_back(event_id);
      continue;
    }
    const bool says = kept->status != EventStatus::rejected && kept->event.is_state();
    const StateNumber number = says ? head_.find_number(kept->event.type(), *kept->event.state_key()) : 0;
    found[event_id] = {number, static_cast<std::uint32_t>(kept->ordinal)};
  }
  BACKPLANE_CHECK(store_.read([&](storage::Session& session) {
    tables::each_state_entry(session, head_.room().number, stored,
                             [&](EventId event_id, const StateEntry& entry) { found[std::move(event_id)] = entry; });
  }));
  return found;
}

const GraphEvent* RoomGraph::find_kept(const EventId& event_id) const {
  if (const auto at = events_.find(event_id); at != events_.end()) return &at->second;
  return head_.find_queued(event_id);
}

Result<const GraphEvent*> RoomGraph::keep_stored(std::optional<EventRow> row) {
  if (!row) return nullptr;
  GraphEvent event;
  event.ordinal = row->ordinal;
  event.status = row->status;
  BACKPLANE_CHECK(store_.read([&](storage::Session& session) {
    const auto snapshot = [&](std::int64_t number) {
      auto found = tables::find_snapshot(session, head_.room().number, number, &head_.snapshots());
      head_.keep_snapshot(found);
      return found;
    };
    event.before = snapshot(row->state_before);
    event.after = snapshot(row->state_after);
  }));
  event.event = matrix::Event::from_stored(std::move(row->json), std::move(row->event_id), head_.version());
  return keep(std::move(event));
}

const GraphEvent* RoomGraph::keep(GraphEvent event) {
  const EventId event_id = event.event.event_id();
  const auto at = events_.insert_or_assign(event_id, std::move(event)).first;
  by_ordinal_[at->second.ordinal] = &at->second;
  return &at->second;
}

void RoomGraph::add(GraphEvent event) { keep(std::move(event)); }

Result<StateSnapshotPointer> RoomGraph::resolve(std::vector<StateSnapshotPointer> states) {
  std::ranges::sort(states, {}, &StateSnapshot::number);
  const auto repeated = std::ranges::unique(states, {}, &StateSnapshot::number);
  states.erase(repeated.begin(), repeated.end());
  if (states.size() == 1) return std::move(states.front());
  std::vector<std::int64_t> numbers;
  for (const StateSnapshotPointer& state : states) numbers.push_back(state->number());
  if (const auto at = resolved_.find(numbers); at != resolved_.end()) return at->second;

  BACKPLANE_TRY(index, auth_index());
  BACKPLANE_TRY(delta, resolve_snapshots(head_.version(), states, *index, *this));
  StateSnapshotPointer state = states.front();
  if (!delta.empty()) {
    state = head_.make_snapshot(state, delta);
    new_snapshots_.push_back(state);
  }
  return resolved_.emplace(std::move(numbers), std::move(state)).first->second;
}

Result<const AuthIndex*> RoomGraph::auth_index() {
  std::optional<AuthIndex>& index = head_.auth_index();
  if (index) return &*index;
  AuthIndex made;
  BACKPLANE_CHECK(store_.read([&](storage::Session& session) {
    tables::each_state_event(session, head_.room().number, [&](const StateEventRow& event) {
      made.add(event.ordinal, event.number, event.auth_events);
    });
  }));
  const auto add = [&](const GraphEvent& event) {
    if (event.state_event)
      made.add(event.state_event->ordinal, event.state_event->number, event.state_event->auth_events);
  };
  head_.each_queued(add);
  for (const auto& [event_id, event] : events_) add(event);
  index.emplace(std::move(made));
  return &*index;
}

EventIds RoomGraph::known_ids(std::span<const StateEntry> events) const {
  std::unordered_map<std::int64_t, EventId> queued;
  head_.each_queued([&](const GraphEvent& event) {
    if (event.state_event) queued.emplace(event.ordinal, event.event.event_id());
  });
  EventIds ids;
  ids.known.reserve(events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    // A large room is in no cache of the processor: entries, and then their ids, are fetched before they are needed.
    if (i + 16 < events.size()) __builtin_prefetch(head_.find_entry(events[i + 16].number));
    if (const HeadState* const soon = i + 8 < events.size() ? head_.find_entry(events[i + 8].number) : nullptr)
      __builtin_prefetch(soon->event_id.view().data());
    const StateEntry& entry = events[i];
    const HeadState* const now = head_.find(entry.number);
    if (now != nullptr && now->ordinal == entry.ordinal) ids.known.push_back(now->event_id);
    else if (const auto at = queued.find(entry.ordinal); at != queued.end()) ids.known.push_back(at->second);
    else ids.stored.push_back(entry.ordinal);
  }
  std::ranges::sort(ids.stored);  // as they lie in the table
  return ids;
}

matrix::EventAuthState RoomGraph::auth_state(const StateSnapshotPointer& state) {
  return matrix::EventAuthState([this, state](std::string_view type, std::string_view state_key) -> matrix::Event {
    const StateNumber number = state ? head_.find_number(type, state_key) : 0;
    const std::uint32_t ordinal = number != 0 ? state->find(number) : 0;
    if (ordinal == 0) return {};
    auto known = get(ordinal);
    if (known) return (*known)->event;
    if (!failure_) failure_ = std::move(known).error();
    return {};
  });
}

Result<void> RoomGraph::take_failure() {
  if (!failure_) return {};
  return *std::exchange(failure_, std::nullopt);
}

Result<KnownEvent> RoomGraph::get_event(std::uint32_t ordinal) {
  BACKPLANE_TRY(known, get(ordinal));
  return KnownEvent{known->event, ordinal, known->status == EventStatus::rejected};
}

Result<std::optional<KnownEvent>> RoomGraph::find_event(const EventId& event_id) {
  BACKPLANE_TRY(known, find(event_id));
  if (known == nullptr) return std::optional<KnownEvent>();
  return std::optional(
      KnownEvent{known->event, static_cast<std::uint32_t>(known->ordinal), known->status == EventStatus::rejected});
}

}  // namespace backplane::room_server
