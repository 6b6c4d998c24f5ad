#include "graph/intake.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "backplane/matrix/event_hash.h"
#include "backplane/matrix/redaction.h"

namespace backplane::room_server {
namespace {

constexpr std::string_view member_type = "m.room.member";
/// So many events are looked at for what another one follows by way of those that nobody may follow.
constexpr std::size_t max_followed = 200;

std::string_view membership_word(const HeadState& entry) {
  return entry.ordinal != 0 ? to_string(entry.membership) : std::string_view();
}

/// NOTSPEC: the rules allow a create event in any state. A second one would be in conflict with the room's own.
matrix::Rejection second_create_event() { return {"second_create_event", "1", "the room has a create event already"}; }

/// Then their resolution is the same.
bool have_same_states(const std::vector<Tip>& some, const std::vector<Tip>& others) {
  const auto numbers_of = [](const std::vector<Tip>& tips) {
    std::set<std::int64_t> numbers;
    for (const Tip& tip : tips) numbers.insert(tip.state->number());
    return numbers;
  };
  return numbers_of(some) == numbers_of(others);
}

/// What others are told of a change of current state that came by resolution.
std::string state_changed_payload(const RoomRow& room, const matrix::Event& cause, const matrix::Event& event,
                                  const std::optional<HeadState>& before, const HeadState& now) {
  api::RoomEventRecord record;
  record.kind = api::RoomEventKind::state_changed;
  record.room_id = room.room_id;
  record.room_version = room.version;
  record.event_id = now.event_id;
  record.topological = cause.depth();
  record.type = event.type();
  record.state_change = api::StateChange{std::string(event.type()), std::string(*event.state_key()),
                                         before ? before->event_id : EventId(), now.event_id};
  if (event.type() == member_type) {
    record.membership = api::MembershipChange{UserId(std::string(*event.state_key())),
                                              std::string(before ? membership_word(*before) : std::string_view()),
                                              std::string(now.ordinal != 0 ? membership_word(now) : "leave")};
  }
  return to_json(record);
}

}  // namespace

Result<void> Intake::begin(const matrix::Event& create) {
  NewEvent placed = make_new(create, nullptr, EventStatus::accepted, {});
  placed.row.status = EventStatus::silent;
  BACKPLANE_CHECK(apply_state(placed, nullptr));
  BACKPLANE_CHECK(
      change_entry(placed, {placed.state_event->number, static_cast<std::uint32_t>(placed.row.ordinal)}, 0));
  placed.state_changes.push_back(
      state_changed_payload(head_.room(), create, create, std::nullopt, *head_.find("m.room.create", "")));
  head_.set_tips({head_.make_tip(create, placed.row.ordinal, placed.after)}, placed.after);
  graph_.add(placed.place());
  finish(std::move(placed));
  return {};
}

Result<Taken> Intake::take(const matrix::Event& event, api::ReceivedKind kind,
                           const std::optional<std::vector<EventId>>& state_before) {
  Taken taken;
  BACKPLANE_TRY(known, graph_.find(event.event_id()));
  if (known != nullptr && (known->is_placed() || !is_same(*known, event))) {
    taken.known = true;
    taken.status = known->status;
    return taken;
  }
  BACKPLANE_TRY(auth_events, find_auth_events(event, taken.missing_auth_events));
  std::vector<EventId> missing;
  StateSnapshotPointer before;
  if (state_before) {
    BACKPLANE_TRY(made, make_state(*state_before, taken.missing_auth_events));
    before = std::move(made);
    for (EventId& event_id : event.prev_events()) {
      BACKPLANE_TRY(prev, graph_.find(event_id));
      const bool is_told = std::ranges::find(missing, event_id) != missing.end();
      if (!is_told && (prev == nullptr || !prev->is_placed())) missing.push_back(std::move(event_id));
    }
  } else {
    BACKPLANE_TRY(found, find_state_before(event, taken.missing_prev_events));
    before = std::move(found);
  }
  if (!taken.is_complete()) return taken;
  if (known != nullptr && known->status == EventStatus::rejected) {
    taken.status = EventStatus::rejected;  // by its auth events: those stay what they are
  } else {
    BACKPLANE_CHECK(check(event, kind, auth_events, before, taken));
  }
  const bool is_tip = taken.status == EventStatus::accepted;
  const bool redacts = is_published(taken.status) && event.type() == "m.room.redaction";
  NewEvent placed = make_new(event, known, taken.status, auth_events);
  // Only what others may follow covers what it follows.
  if (may_be_followed(taken.status)) placed.missing = std::move(missing);
  BACKPLANE_CHECK(apply_state(placed, std::move(before)));
  if (redacts) BACKPLANE_CHECK(redact(placed));
  BACKPLANE_CHECK(note_awaited(placed));
  if (known != nullptr && json::find_raw(known->event.unsigned_data(), "redacted_because"))
    redacted_json_ = known->event.json();
  graph_.add(placed.place());
  if (is_tip) BACKPLANE_CHECK(move_tips(placed, kind != api::ReceivedKind::way_in));
  finish(std::move(placed));
  if (is_published(taken.status) && kind != api::ReceivedKind::new_event) BACKPLANE_CHECK(show_create_event(event));
  return taken;
}

/// In room versions 1 and 2 senders choose ids: what came first has it.
bool Intake::is_same(const GraphEvent& known, const matrix::Event& event) const {
  const matrix::RoomVersion& version = head_.version();
  return version.event_format != matrix::EventFormat::event_id_in_event ||
         matrix::reference_hash(known.event.json(), version) == matrix::reference_hash(event.json(), version);
}

Result<Taken> Intake::take_outlier(const matrix::Event& event) {
  Taken taken{EventStatus::outlier, false, {}, {}, {}};
  BACKPLANE_TRY(known, graph_.find(event.event_id()));
  if (known != nullptr) {
    taken.known = true;
    taken.status = known->status;
    return taken;
  }
  BACKPLANE_TRY(auth_events, find_auth_events(event, taken.missing_auth_events));
  if (!taken.is_complete()) return taken;
  if (event.is_state("m.room.create", "")) {
    taken.rejection = second_create_event();
  } else {
    BACKPLANE_TRY(rejection, check_by_auth_events(event, auth_events));
    taken.rejection = rejection;
  }
  if (taken.rejection) taken.status = EventStatus::rejected;
  NewEvent placed = make_new(event, nullptr, taken.status, auth_events);
  BACKPLANE_CHECK(note_awaited(placed));
  graph_.add(placed.place());
  finish(std::move(placed));
  return taken;
}

Result<Intake::AuthEvents> Intake::find_auth_events(const matrix::Event& event, std::vector<EventId>& missing) {
  AuthEvents found;
  const auto current = head_.auth_entries(matrix::AuthSubject::of(event));
  for (EventId& event_id : event.auth_events()) {
    const auto entry = std::ranges::find(current, event_id, &HeadState::event_id);
    if (entry != current.end()) {
      found.push_back({static_cast<std::uint32_t>((*entry)->ordinal), false, (*entry)->event});
      continue;
    }
    BACKPLANE_TRY(known, graph_.find(event_id));
    if (known == nullptr) missing.push_back(std::move(event_id));
    else
      found.push_back(
          {static_cast<std::uint32_t>(known->ordinal), known->status == EventStatus::rejected, known->event});
  }
  return found;
}

Result<StateSnapshotPointer> Intake::find_state_before(const matrix::Event& event, std::vector<EventId>& missing) {
  std::vector<StateSnapshotPointer> states;
  for (EventId& event_id : event.prev_events()) {
    const auto tip = std::ranges::find(head_.tips(), event_id, &Tip::event_id);
    if (tip != head_.tips().end()) {
      states.push_back(tip->state);
      continue;
    }
    BACKPLANE_TRY(known, graph_.find(event_id));
    if (known != nullptr && known->is_placed()) states.push_back(known->after);
    else missing.push_back(std::move(event_id));
  }
  if (!missing.empty() || states.empty()) return StateSnapshotPointer();
  return graph_.resolve(std::move(states));
}

/// The state that has these events, as what has to be changed in the current one: that is mostly little.
Result<StateSnapshotPointer> Intake::make_state(std::span<const EventId> event_ids, std::vector<EventId>& missing) {
  BACKPLANE_TRY(found, graph_.find_state(event_ids));
  std::map<StateNumber, std::uint32_t> wanted;
  for (const EventId& event_id : event_ids) {
    const auto at = found.find(event_id);
    if (at == found.end()) missing.push_back(event_id);
    else if (at->second.number != 0) wanted[at->second.number] = at->second.ordinal;
  }
  if (!missing.empty()) return StateSnapshotPointer();
  StateDelta change;
  const StateTable current(head_.snapshot().get());
  for (StateNumber number = 1; number < current.size(); ++number) {
    if (current.find(number) != 0 && !wanted.contains(number)) wanted[number] = 0;
  }
  for (const auto& [number, ordinal] : wanted) {
    if (current.find(number) != ordinal) change.push_back({number, ordinal});
  }
  if (change.empty()) return head_.snapshot();
  StateSnapshotPointer state = head_.make_snapshot(head_.snapshot(), change);
  graph_.add_snapshot(state);
  return state;
}

bool Intake::is_current(const StateSnapshotPointer& state) const {
  return state && state->number() == head_.snapshot()->number();
}

Result<void> Intake::check(const matrix::Event& event, api::ReceivedKind kind, const AuthEvents& auth_events,
                           const StateSnapshotPointer& before, Taken& taken) {
  const auto reject = [&](const std::optional<matrix::Rejection>& rejection, EventStatus status) {
    if (!rejection) return false;
    taken.rejection = rejection;
    taken.status = status;
    return true;
  };
  const bool is_after_all = is_current(before);
  if (event.is_state("m.room.create", "")) {
    reject(second_create_event(), EventStatus::rejected);
    return {};
  }
  if (!is_after_all || !cites_current_state(event, auth_events)) {
    BACKPLANE_TRY(rejection, check_by_auth_events(event, auth_events));
    if (reject(rejection, EventStatus::rejected)) return {};
  }
  BACKPLANE_TRY(rejection, check_by_state(event, before));
  if (reject(rejection, EventStatus::rejected)) return {};
  if (kind == api::ReceivedKind::history) {
    taken.status = EventStatus::history;
  } else if (!is_after_all && kind != api::ReceivedKind::way_in) {
    // The event's branch may be one of which nothing is current yet: after a gap, or after history.
    BACKPLANE_TRY(current, graph_.resolve({head_.snapshot(), before}));
    BACKPLANE_TRY(soft_rejection, check_by_state(event, current));
    reject(soft_rejection, EventStatus::soft_failed);
  }
  return {};
}

Result<std::optional<matrix::Rejection>> Intake::check_by_state(const matrix::Event& event,
                                                                const StateSnapshotPointer& state) {
  const matrix::AuthSubject subject = matrix::AuthSubject::of(event);
  if (is_current(state)) return matrix::check_auth_rules(subject, head_.version(), head_);
  auto rejection = matrix::check_auth_rules(subject, head_.version(), graph_.auth_state(state));
  BACKPLANE_CHECK(graph_.take_failure());
  return rejection;
}

/// Then what they say and what the current state says of the event is the same.
bool Intake::cites_current_state(const matrix::Event& event, const AuthEvents& auth_events) const {
  const auto current = head_.auth_entries(matrix::AuthSubject::of(event));
  return current.size() == auth_events.size() && std::ranges::all_of(current, [&](const HeadState* entry) {
           return std::ranges::find(auth_events, entry->ordinal, &AuthEvent::ordinal) != auth_events.end();
         });
}

Result<std::optional<matrix::Rejection>> Intake::check_by_auth_events(const matrix::Event& event,
                                                                      const AuthEvents& auth_events) {
  std::vector<matrix::AuthEvent> cited;
  std::vector<matrix::Event> events;
  for (const AuthEvent& auth_event : auth_events) {
    events.push_back(auth_event.event);
    if (!events.back()) {
      BACKPLANE_TRY(known, graph_.get(auth_event.ordinal));
      events.back() = known->event;
    }
    cited.push_back({events.back(), auth_event.rejected});
  }
  const HeadState* const create = head_.find("m.room.create", "");
  const matrix::Event create_event = create != nullptr ? create->event : matrix::Event();
  if (auto rejection = matrix::check_auth_events(event, cited, create_event)) return rejection;
  if (head_.version().create_event_is_implied && create_event) events.push_back(create_event);
  return matrix::check_auth_rules(matrix::AuthSubject::of(event), head_.version(),
                                  matrix::auth_state_of(std::move(events)));
}

NewEvent Intake::make_new(const matrix::Event& event, const GraphEvent* known, EventStatus status,
                          const AuthEvents& auth_events) {
  NewEvent out;
  out.event = event;
  out.was_outlier = known != nullptr;
  EventRow& row = out.row;
  row.status = status;
  row.ordinal = known != nullptr                  ? known->ordinal
                : status == EventStatus::accepted ? head_.take_ordinal()
                                                  : head_.take_low_ordinal();
  row.event_id = event.event_id();
  row.depth = event.depth();
  row.type = event.type();
  row.sender = event.sender().str();
  row.history_visibility = to_string(matrix::HistoryVisibility::shared);
  row.json = event.json();
  if (const auto state_key = event.state_key()) {
    row.state_key = *state_key;
    out.meets_state = head_.find_number(event.type(), *state_key) == 0;
    out.state_event.emplace();
    out.state_event->ordinal = static_cast<std::uint32_t>(row.ordinal);
    out.state_event->number = head_.number_of(event.type(), *state_key);
    for (const AuthEvent& auth_event : auth_events) out.state_event->auth_events.push_back(auth_event.ordinal);
    head_.add_state_event(*out.state_event);
  }
  return out;
}

Result<void> Intake::apply_state(NewEvent& event, StateSnapshotPointer before) {
  BACKPLANE_TRY(visibility, history_visibility(before));
  event.row.history_visibility = to_string(visibility);
  event.after = before;
  if (event.state_event && event.row.status != EventStatus::rejected) {
    event.after =
        head_.make_snapshot(before, {{event.state_event->number, static_cast<std::uint32_t>(event.row.ordinal)}});
    graph_.add_snapshot(event.after);
  }
  if (!event.after) {  // what follows nothing, and is rejected, has a place all the same
    event.after = head_.make_snapshot(nullptr, {});
    graph_.add_snapshot(event.after);
  }
  event.before = std::move(before);
  event.row.state_before = event.before ? event.before->number() : 0;
  event.row.state_after = event.after->number();
  return {};
}

Result<void> Intake::move_tips(NewEvent& event, bool stay) {
  std::vector<Tip> tips;
  if (stay) {
    BACKPLANE_TRY(followed, followed_events(event.event));
    for (const Tip& tip : head_.tips()) {
      if (std::ranges::find(followed, tip.event_id) == followed.end()) tips.push_back(tip);
    }
  }
  if (!event.was_missing || tips.empty()) tips.push_back(head_.make_tip(event.event, event.row.ordinal, event.after));
  StateSnapshotPointer current = head_.snapshot();
  if (!have_same_states(tips, head_.tips())) {
    std::vector<StateSnapshotPointer> states;
    for (const Tip& tip : tips) states.push_back(tip.state);
    BACKPLANE_TRY(resolved, graph_.resolve(std::move(states)));
    current = std::move(resolved);
  }
  BACKPLANE_CHECK(change_current_state(event, current));
  head_.set_tips(std::move(tips), std::move(current));
  event.forward_extremities = head_.take_changed_extremities();
  return {};
}

/// A room's beginning that came with its state is history that has come when an event does that follows it.
Result<void> Intake::show_create_event(const matrix::Event& follower) {
  for (const EventId& event_id : follower.prev_events()) {
    BACKPLANE_TRY(create, graph_.find(event_id));
    if (create == nullptr || create->status != EventStatus::silent || !create->event.is_state("m.room.create", ""))
      continue;
    NewEvent shown;
    shown.event = create->event;
    shown.was_outlier = true;
    shown.after = create->after;
    shown.row.ordinal = create->ordinal;
    shown.row.status = EventStatus::history;
    shown.row.event_id = create->event.event_id();
    shown.row.depth = create->event.depth();
    shown.row.type = create->event.type();
    shown.row.state_key = *create->event.state_key();
    shown.row.sender = create->event.sender().str();
    shown.row.history_visibility = to_string(matrix::HistoryVisibility::shared);
    shown.row.state_after = create->after->number();
    shown.row.json = create->event.json();
    graph_.add(shown.place());
    finish(std::move(shown));
  }
  return {};
}

/// The events that it follows, also by way of those that nobody else may follow.
Result<std::vector<EventId>> Intake::followed_events(const matrix::Event& event) {
  std::vector<EventId> followed = event.prev_events();
  std::set<EventId> seen(followed.begin(), followed.end());
  for (std::size_t i = 0; i < followed.size() && i < max_followed; ++i) {
    if (std::ranges::find(head_.tips(), followed[i], &Tip::event_id) != head_.tips().end()) continue;
    BACKPLANE_TRY(known, graph_.find(followed[i]));
    if (known == nullptr || may_be_followed(known->status)) continue;
    for (EventId& event_id : known->event.prev_events()) {
      if (seen.insert(event_id).second) followed.push_back(std::move(event_id));
    }
  }
  return followed;
}

Result<void> Intake::change_current_state(NewEvent& event, const StateSnapshotPointer& current) {
  const StateSnapshotPointer before = head_.snapshot();
  if (before->number() == current->number()) return {};
  const std::int64_t joined_before = head_.joined_members();
  if (is_current(event.before) && event.after->number() == current->number()) {
    BACKPLANE_CHECK(change_entry(event, {event.state_event->number, static_cast<std::uint32_t>(event.row.ordinal)},
                                 before->find(event.state_event->number)));
  } else {
    for (const StateEntry& entry : difference(before, current))
      BACKPLANE_CHECK(change_entry(event, entry, before->find(entry.number)));
  }
  if (head_.joined_members() != joined_before) event.joined_members = head_.joined_members();
  return {};
}

Result<void> Intake::change_entry(NewEvent& event, const StateEntry& entry, std::uint32_t ordinal_before) {
  const bool is_own = entry.ordinal == event.row.ordinal;
  matrix::Event replaced;
  if (ordinal_before != 0) {
    BACKPLANE_TRY(known, graph_.get(ordinal_before));
    replaced = known->event;
  }
  matrix::Event now_current = is_own ? event.event : matrix::Event();
  if (!is_own && entry.ordinal != 0) {
    BACKPLANE_TRY(known, graph_.get(entry.ordinal));
    now_current = known->event;
  }
  const matrix::Event& named = now_current ? now_current : replaced;
  const std::optional<HeadState> before = now_current
                                              ? head_.make_current(now_current, entry.ordinal, event.row.ordinal)
                                              : head_.make_absent(named.type(), *named.state_key());
  HeadState now;
  now.number = entry.number;
  if (now_current) now = *head_.find(named.type(), *named.state_key());
  if (before) now.left_at = now_current ? now.left_at : before->left_at;
  event.states.push_back({state_row(named.type(), *named.state_key(), now), is_own && event.meets_state, now_current});
  if (!is_own) {
    event.state_changes.push_back(state_changed_payload(head_.room(), event.event, named, before, now));
    return {};
  }
  event.row.became_current = true;
  event.row.json = with_unsigned(event.event, replaced);
  if (before) event.row.replaces = before->event_id;
  if (named.type() == member_type) {
    event.row.membership_before = before ? membership_word(*before) : std::string_view();
    event.row.membership_after = membership_word(now);
  }
  return {};
}

Result<matrix::HistoryVisibility> Intake::history_visibility(const StateSnapshotPointer& state) {
  if (is_current(state)) return head_.history_visibility();
  const StateNumber number = head_.find_number("m.room.history_visibility", "");
  const std::uint32_t ordinal = state && number != 0 ? state->find(number) : 0;
  if (ordinal == 0) return matrix::HistoryVisibility::shared;
  BACKPLANE_TRY(known, graph_.get(ordinal));
  return matrix::history_visibility_in(known->event.content());
}

/// What the room has waited for it with: others that follow it, and redactions.
Result<void> Intake::note_awaited(NewEvent& event) {
  BACKPLANE_TRY(awaited, environment_.store.read([&](storage::Session& session) {
    return tables::find_awaited(session, head_.room().number, event.row.event_id);
  }));
  const auto add_waiting = [&](const GraphEvent& waiting) {
    if (std::ranges::find(waiting.missing, event.row.event_id) != waiting.missing.end()) awaited.by_followers = true;
    if (waiting.redacts_later == event.row.event_id) awaited.redactions.push_back(waiting.ordinal);
  };
  head_.each_queued(add_waiting);
  for (const NewEvent& other : new_events_) {
    if (!other.missing.empty() || !other.redacts_later.empty()) add_waiting(other.place());
  }
  event.was_missing = awaited.by_followers && event.after != nullptr;
  for (const std::int64_t ordinal : awaited.redactions) {
    event.was_awaited = true;
    BACKPLANE_TRY(redaction, graph_.get(ordinal));
    BACKPLANE_TRY(may, may_redact(*redaction, event.event));
    if (may) redacted_json_ = redacted_json(event.row.json, redaction->event, head_.room_id());
  }
  return {};
}

Result<bool> Intake::may_redact(const GraphEvent& redaction, const matrix::Event& target) {
  if (is_current(redaction.before)) return matrix::may_apply_redaction(redaction.event, target, head_.power_levels());
  const matrix::EventAuthState state = graph_.auth_state(redaction.before);
  BACKPLANE_CHECK(graph_.take_failure());
  return matrix::may_apply_redaction(redaction.event, target, state.power_levels());
}

/// Room version 3, "Handling redactions": clients hear of a redaction that is known to be valid, and of its target as
/// it is then.
Result<void> Intake::redact(NewEvent& event) {
  const std::optional<EventId> target = event.event.redacts();
  if (!target || !matrix::parse_event_id(target->view())) {
    event.row.status = EventStatus::silent;
    return {};
  }
  BACKPLANE_TRY(known, graph_.find(*target));
  if (known == nullptr) {
    event.redacts_later = *target;
    event.row.status = EventStatus::silent;
    return {};
  }
  BACKPLANE_TRY(may, may_redact(event.place(), known->event));
  if (!may) {
    event.row.status = EventStatus::silent;
    return {};
  }
  event.redacts = known->ordinal;
  if (known->event.is_state()) head_.put_event(matrix::redact(known->event));
  return {};
}

void Intake::finish(NewEvent event) {
  if (!redacted_json_.empty()) {
    event.row.json = std::exchange(redacted_json_, {});
    event.event = matrix::redact(event.event);
    if (event.row.became_current) {
      const auto own = std::ranges::find(event.states, event.row.event_id,
                                         [](const CurrentState& state) { return state.row.event_id; });
      own->event = event.event;
      head_.put_event(event.event);
    }
  }
  if (event.meets_state && !event.row.became_current) {
    HeadState none;
    none.number = event.state_event->number;
    event.states.push_back({state_row(event.row.type, *event.row.state_key, none), true, {}});
  }
  for (StateSnapshotPointer& snapshot : graph_.take_snapshots()) event.snapshots.push_back(std::move(snapshot));
  new_events_.push_back(std::move(event));
}

}  // namespace backplane::room_server
