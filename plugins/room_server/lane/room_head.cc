#include "lane/room_head.h"

#include <algorithm>
#include <functional>
#include <ranges>
#include <utility>

namespace backplane::room_server {
namespace {

constexpr std::string_view member_type = "m.room.member";
/// Events of members that are kept before drop_events() has something to do.
constexpr std::size_t kept_member_events = 256;
/// What an entry costs besides its text: nodes, buckets, the entry itself.
constexpr std::size_t entry_bytes = sizeof(HeadState) + 128;

bool has_rules(std::string_view type) {
  return type == "m.room.create" || type == "m.room.power_levels" || type == "m.room.join_rules" ||
         type == "m.room.history_visibility" || type == "m.room.third_party_invite";
}

}  // namespace

RoomHead::RoomHead(RoomId room_id, const matrix::RoomVersion& version)
    : room_{0, std::move(room_id), RoomVersionId(std::string(version.id))}, version_(&version) {
  levels_.emplace(matrix::RoomCreation{});
}

std::optional<RoomHead> RoomHead::load(storage::Session& session, const RoomId& room_id) {
  auto row = tables::find_room(session, room_id);
  if (!row) return std::nullopt;
  const matrix::RoomVersion* const version = matrix::find_room_version(row->version);
  const auto last = tables::find_last_event(session, row->number);
  if (version == nullptr || !last)
    throw storage::Failure(internal_error("the stored room " + room_id.str() + " is damaged"));
  RoomHead head(row->room_id, *version);
  head.room_ = std::move(*row);
  const RoomNumber room = head.room_.number;
  head.next_ordinal_ = last->ordinal + 1;
  head.next_low_ordinal_ = std::min(tables::lowest_ordinal(session, room), first_ordinal) - 1;
  head.joined_members_ = tables::joined_members(session, room);
  head.last_snapshot_ = tables::last_snapshot(session, room);
  const auto snapshot = [&](std::int64_t number) {
    auto found = tables::find_snapshot(session, room, number, &head.snapshots_);
    if (!found) throw storage::Failure(internal_error("a state of " + room_id.str() + " is not stored"));
    head.snapshots_.add(found);
    return found;
  };
  const auto tip_of = [&](const EventRow& event, StateSnapshotPointer state) {
    return head.make_tip(matrix::Event::from_stored(event.json, event.event_id, *version), event.ordinal,
                         std::move(state));
  };
  head.stored_extremities_ = tables::find_forward_extremities(session, room);
  if (head.stored_extremities_.ordinals.empty()) {
    head.snapshot_ = snapshot(last->state_after);
    head.tips_ = {tip_of(*last, head.snapshot_)};
  } else {
    head.snapshot_ = snapshot(head.stored_extremities_.state);
    for (const std::int64_t ordinal : head.stored_extremities_.ordinals) {
      const auto tip = tables::find_event(session, room, ordinal);
      if (!tip) throw storage::Failure(internal_error("a forward extremity of " + room_id.str() + " is not stored"));
      head.tips_.push_back(tip_of(*tip, snapshot(tip->state_after)));
    }
  }
  std::vector<std::pair<std::string, std::string>> rules;
  for (StateRow& state : tables::list_state(session, room)) {
    HeadState& entry = head.insert(state.type, state.state_key);
    entry.event_id = std::move(state.event_id);
    entry.number = state.number;
    entry.ordinal = state.ordinal;
    if (head.by_number_.size() <= entry.number) head.by_number_.resize(entry.number + std::size_t{1});
    head.by_number_[entry.number] = &entry;
    entry.membership = matrix::membership_from(state.membership).value_or(matrix::Membership::leave);
    entry.left_at = state.left_at;
    if (entry.ordinal != 0 && has_rules(state.type))
      rules.emplace_back(std::move(state.type), std::move(state.state_key));
  }
  // The create event first: the power levels are read with it in mind.
  const auto read_event = [&](const std::string& type, const std::string& state_key) {
    const HeadState* const entry = head.find(type, state_key);
    if (entry == nullptr) return;
    auto stored = tables::find_event(session, room, entry->ordinal);
    if (!stored) throw storage::Failure(internal_error("a state event of " + room_id.str() + " is not stored"));
    head.put_event(matrix::Event::from_stored(std::move(stored->json), std::move(stored->event_id), *version));
  };
  read_event("m.room.create", "");
  for (const auto& [type, state_key] : rules) {
    if (type != "m.room.create") read_event(type, state_key);
  }
  return head;
}

matrix::Membership RoomHead::membership_of(const UserId& user) const {
  const HeadState* const member = find_member(user);
  return member != nullptr ? member->membership : matrix::Membership::leave;
}

matrix::Event RoomHead::third_party_invite(std::string_view token) const {
  const HeadState* const entry = find("m.room.third_party_invite", token);
  return entry != nullptr ? entry->event : matrix::Event();
}

const HeadState* RoomHead::find(std::string_view type, std::string_view state_key) const {
  const HeadState* const entry = const_cast<RoomHead*>(this)->find_mutable(type, state_key);
  return entry != nullptr && !entry->event_id.empty() ? entry : nullptr;
}

StateNumber RoomHead::find_number(std::string_view type, std::string_view state_key) const {
  const HeadState* const entry = const_cast<RoomHead*>(this)->find_mutable(type, state_key);
  return entry != nullptr ? entry->number : 0;
}

StateNumber RoomHead::number_of(std::string_view type, std::string_view state_key) {
  return entry_of(type, state_key).number;
}

HeadState* RoomHead::find_mutable(std::string_view type, std::string_view state_key) {
  const auto of_type = state_.find(type);
  if (of_type == state_.end()) return nullptr;
  const auto entry = of_type->second.find(state_key);
  return entry != of_type->second.end() ? &entry->second : nullptr;
}

HeadState& RoomHead::insert(std::string_view type, std::string_view state_key) {
  auto of_type = state_.find(type);
  if (of_type == state_.end()) {
    of_type = state_.emplace(std::string(type), TextMap<HeadState>{}).first;
    bytes_ += type.size() + 128;
  }
  bytes_ += entry_bytes + sizeof(void*) + state_key.size() + 44;
  return of_type->second.try_emplace(std::string(state_key)).first->second;
}

HeadState& RoomHead::entry_of(std::string_view type, std::string_view state_key) {
  if (HeadState* const entry = find_mutable(type, state_key)) return *entry;
  HeadState& entry = insert(type, state_key);
  entry.number = static_cast<StateNumber>(by_number_.size());
  by_number_.push_back(&entry);
  return entry;
}

std::int64_t RoomHead::next_depth() const {
  std::int64_t deepest = 0;
  for (const Tip& tip : tips_) deepest = std::max(deepest, tip.depth);
  return std::min(deepest, version_->max_depth() - 1) + 1;
}

std::vector<const Tip*> RoomHead::next_prev_events() const {
  std::vector<const Tip*> tips;
  for (const Tip& tip : tips_) tips.push_back(&tip);
  if (tips.size() > matrix::max_prev_events) {
    // As many as an event may name. The state before it is taken for that after all the same.
    std::ranges::stable_sort(tips, std::greater<>(), [](const Tip* tip) { return tip->depth; });
    tips.resize(matrix::max_prev_events);
  }
  return tips;
}

std::vector<const HeadState*> RoomHead::auth_entries(const matrix::AuthSubject& event) const {
  std::vector<const HeadState*> entries;
  for (const auto& [type, state_key] : matrix::required_auth_events(event, *version_)) {
    if (const HeadState* const entry = find(type, state_key)) entries.push_back(entry);
  }
  return entries;
}

UserId RoomHead::find_member_with(const ServerName& server, std::int64_t level) const {
  const auto may = [&](const UserId& user) {
    return matrix::is_on_server(user.view(), server) && membership_of(user) == matrix::Membership::join &&
           levels_->of_user(user) >= level;
  };
  // Those with a level of their own first: they are few.
  for (const auto& [user, unused] : levels_->users()) {
    if (UserId id(user); may(id)) return id;
  }
  if (creation_) {
    for (const UserId& user : creation_->creators) {
      if (may(user)) return user;
    }
  }
  if (const auto members = state_.find(member_type); members != state_.end()) {
    for (const auto& [user, entry] : members->second) {
      if (entry.membership != matrix::Membership::join) continue;
      if (UserId id(user); may(id)) return id;
    }
  }
  return {};
}

std::vector<UserId> RoomHead::members_of(const ServerName& server, std::size_t limit) const {
  using matrix::Membership;
  std::vector<UserId> users;
  const auto members = state_.find(member_type);
  if (members == state_.end()) return users;
  for (const auto& [user, entry] : members->second) {
    if (users.size() >= limit) break;
    const bool is_in = entry.membership != Membership::leave && entry.membership != Membership::ban;
    if (is_in && matrix::is_on_server(user, server)) users.emplace_back(user);
  }
  return users;
}

void RoomHead::drop_rules(std::string_view type) {
  if (type == "m.room.power_levels") levels_.emplace(creation_.value_or(matrix::RoomCreation{}));
  else if (type == "m.room.join_rules") join_rule_ = matrix::JoinRule::invite;
  else if (type == "m.room.history_visibility") history_visibility_ = matrix::HistoryVisibility::shared;
}

void RoomHead::take_rules(const matrix::Event& event) {
  if (event.state_key() != std::string_view()) return;
  const std::string_view type = event.type();
  if (type == "m.room.create") {
    creation_ = matrix::RoomCreation::of(event);
    levels_.emplace(*creation_);
  } else if (type == "m.room.power_levels" && creation_) {
    auto levels = matrix::PowerLevels::parse(event.content(), *creation_);
    levels_ = levels ? std::move(*levels) : matrix::PowerLevels(*creation_);
  } else if (type == "m.room.join_rules") {
    join_rule_ = matrix::join_rule_in(event.content());
  } else if (type == "m.room.history_visibility") {
    history_visibility_ = matrix::history_visibility_in(event.content());
  }
}

std::optional<HeadState> RoomHead::apply(const matrix::Event& event) {
  const std::int64_t ordinal = take_ordinal();
  if (room_.room_id.empty()) room_.room_id = event.room_id();
  std::optional<HeadState> before;
  if (event.is_state()) {
    const StateNumber number = number_of(event.type(), *event.state_key());
    snapshot_ = make_snapshot(snapshot_, {{number, static_cast<std::uint32_t>(ordinal)}});
    before = make_current(event, ordinal, ordinal);
  }
  std::vector<Tip> tips;
  const auto followed = next_prev_events();
  for (const Tip& tip : tips_) {
    if (std::ranges::find(followed, &tip) == followed.end()) tips.push_back(tip);
  }
  tips.push_back(make_tip(event, ordinal, snapshot_));
  tips_ = std::move(tips);
  return before;
}

Tip RoomHead::make_tip(const matrix::Event& event, std::int64_t ordinal, StateSnapshotPointer state) const {
  const bool named_by_hash = version_->event_format == matrix::EventFormat::event_id_in_event;
  return {event.event_id(), ordinal, event.depth(), std::move(state), named_by_hash ? event : matrix::Event()};
}

StateSnapshotPointer RoomHead::make_snapshot(const StateSnapshotPointer& parent, const StateDelta& change) {
  auto snapshot = StateSnapshot::make(++last_snapshot_, parent, change);
  keep_snapshot(snapshot);
  return snapshot;
}

void RoomHead::keep_snapshot(const StateSnapshotPointer& snapshot) {
  if (snapshots_.is_full()) {
    snapshots_.clear();
    snapshots_.add(snapshot_);
    for (const Tip& tip : tips_) snapshots_.add(tip.state);
  }
  snapshots_.add(snapshot);
}

void RoomHead::set_tips(std::vector<Tip> tips, StateSnapshotPointer current) {
  tips_ = std::move(tips);
  snapshot_ = std::move(current);
}

std::optional<HeadState> RoomHead::make_current(const matrix::Event& event, std::int64_t ordinal, std::int64_t cause) {
  HeadState& entry = entry_of(event.type(), *event.state_key());
  const HeadState before = std::exchange(entry, HeadState{});
  bytes_ -= before.event ? before.event.memory_bytes() : 0;
  entry.event_id = event.event_id();
  entry.number = before.number;
  entry.ordinal = ordinal;
  if (event.type() == member_type)
    entry.membership = matrix::membership_in(event.content()).value_or(matrix::Membership::leave);
  count_member(event.type(), before, entry, cause);
  put_event(event);
  return before.event_id.empty() ? std::nullopt : std::optional(before);
}

std::optional<HeadState> RoomHead::make_absent(std::string_view type, std::string_view state_key) {
  HeadState* const entry = find_mutable(type, state_key);
  if (entry == nullptr || entry->event_id.empty()) return std::nullopt;
  const HeadState before = std::exchange(*entry, HeadState{});
  bytes_ -= before.event ? before.event.memory_bytes() : 0;
  entry->number = before.number;
  count_member(type, before, *entry, 0);
  if (state_key.empty()) drop_rules(type);
  return before;
}

void RoomHead::count_member(std::string_view type, const HeadState& before, HeadState& now, std::int64_t cause) {
  if (type != member_type) return;
  using matrix::Membership;
  const bool was_joined = before.membership == Membership::join;
  const bool is_joined = now.membership == Membership::join;
  now.left_at = before.left_at;
  if (was_joined && !is_joined && now.ordinal != 0) now.left_at = cause;
  joined_members_ += static_cast<int>(is_joined) - static_cast<int>(was_joined);
}

std::optional<ForwardExtremities> RoomHead::take_changed_extremities() {
  ForwardExtremities now;
  const bool simple = tips_.size() == 1 && tips_.front().ordinal + 1 == next_ordinal_ &&
                      tips_.front().state->number() == snapshot_->number();
  if (!simple) {
    for (const Tip& tip : tips_) now.ordinals.push_back(tip.ordinal);
    now.state = snapshot_->number();
  }
  if (now == stored_extremities_) return std::nullopt;
  stored_extremities_ = now;
  return now;
}

void RoomHead::remember(std::shared_ptr<const Pending> pending, std::vector<GraphEvent> events) {
  const Queued& queued = queued_.emplace_back(std::move(pending), std::move(events));
  for (const GraphEvent& event : queued.events) {
    queued_by_id_[event.event.event_id()] = &event;
    bytes_ += sizeof(GraphEvent) + event.event.memory_bytes();
  }
}

void RoomHead::forget_committed() {
  for (; !queued_.empty() && queued_.front().pending->finished(); queued_.pop_front()) {
    for (const GraphEvent& event : queued_.front().events) {
      bytes_ -= sizeof(GraphEvent) + event.event.memory_bytes();
      const auto at = queued_by_id_.find(event.event.event_id());
      if (at != queued_by_id_.end() && at->second == &event) queued_by_id_.erase(at);
    }
  }
}

const GraphEvent* RoomHead::find_queued(const EventId& event_id) const {
  const auto at = queued_by_id_.find(event_id);
  return at != queued_by_id_.end() ? at->second : nullptr;
}

const GraphEvent* RoomHead::find_queued(std::int64_t ordinal) const {
  // The last one first: an outlier comes a second time when its place is known.
  for (const Queued& queued : std::views::reverse(queued_)) {
    const auto at = std::ranges::find(queued.events, ordinal, &GraphEvent::ordinal);
    if (at != queued.events.end()) return &*at;
  }
  return nullptr;
}

void RoomHead::each_queued(const std::function<void(const GraphEvent&)>& event) const {
  for (const Queued& queued : queued_) std::ranges::for_each(queued.events, event);
}

void RoomHead::add_state_event(const StateEventRow& event) {
  if (auth_index_) auth_index_->add(event.ordinal, event.number, event.auth_events);
}

void RoomHead::put_event(const matrix::Event& event) {
  HeadState* const entry = find_mutable(event.type(), event.state_key().value_or(""));
  if (entry == nullptr || entry->event_id != event.event_id()) return;
  bytes_ += event.memory_bytes();
  if (entry->event) bytes_ -= entry->event.memory_bytes();
  else if (event.type() == member_type) members_with_events_.emplace_back(*event.state_key());
  entry->event = event;
  take_rules(event);
}

std::size_t RoomHead::memory_bytes() const {
  return bytes_ + snapshots_.memory_bytes() + (auth_index_ ? auth_index_->memory_bytes() : 0);
}

void RoomHead::drop_events() {
  if (members_with_events_.size() < kept_member_events) return;
  for (const std::string& state_key : members_with_events_) {
    HeadState* const entry = find_mutable(member_type, state_key);
    if (entry == nullptr || !entry->event) continue;
    bytes_ -= entry->event.memory_bytes();
    entry->event = {};
  }
  members_with_events_.clear();
}

}  // namespace backplane::room_server
