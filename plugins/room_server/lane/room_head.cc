#include "lane/room_head.h"

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
  head.next_ordinal_ = last->ordinal + 1;
  head.depth_ = last->depth;
  head.last_event_ = last->event_id;
  head.joined_members_ = tables::joined_members(session, head.room_.number);
  std::vector<std::pair<std::string, std::string>> rules;
  for (StateRow& state : tables::list_state(session, head.room_.number)) {
    HeadState& entry = head.insert(state.type, state.state_key);
    entry.event_id = std::move(state.event_id);
    entry.ordinal = state.ordinal;
    entry.since = state.since;
    entry.membership = matrix::membership_from(state.membership).value_or(matrix::Membership::leave);
    entry.left_at = state.left_at;
    if (has_rules(state.type)) rules.emplace_back(std::move(state.type), std::move(state.state_key));
  }
  // The create event first: the power levels are read with it in mind.
  const auto read_event = [&](const std::string& type, const std::string& state_key) {
    const HeadState* const entry = head.find(type, state_key);
    if (entry == nullptr) return;
    auto stored = tables::find_event(session, head.room_.number, entry->ordinal);
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
  return const_cast<RoomHead*>(this)->find_mutable(type, state_key);
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
  bytes_ += entry_bytes + state_key.size() + 44;
  return of_type->second.try_emplace(std::string(state_key)).first->second;
}

std::vector<EventId> RoomHead::prev_events() const {
  if (last_event_.empty()) return {};
  return {last_event_};
}

std::vector<EventId> RoomHead::auth_events(const matrix::AuthSubject& event) const {
  std::vector<EventId> ids;
  for (const auto& [type, state_key] : matrix::required_auth_events(event, *version_)) {
    if (const HeadState* const entry = find(type, state_key)) ids.push_back(entry->event_id);
  }
  return ids;
}

UserId RoomHead::find_inviter(const ServerName& server) const {
  const std::int64_t level = levels_->invite();
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
  const std::int64_t ordinal = next_ordinal_++;
  depth_ = event.depth();
  last_event_ = event.event_id();
  if (room_.room_id.empty()) room_.room_id = event.room_id();
  if (!event.is_state()) return std::nullopt;

  const std::string_view state_key = *event.state_key();
  HeadState* entry = find_mutable(event.type(), state_key);
  std::optional<HeadState> before;
  if (entry != nullptr) {
    before = std::exchange(*entry, HeadState{});
    bytes_ -= before->event ? before->event.memory_bytes() : 0;
  } else {
    entry = &insert(event.type(), state_key);
  }
  entry->event_id = event.event_id();
  entry->ordinal = entry->since = ordinal;
  if (event.type() == member_type) {
    using matrix::Membership;
    entry->membership = matrix::membership_in(event.content()).value_or(Membership::leave);
    const bool was_joined = before && before->membership == Membership::join;
    const bool is_joined = entry->membership == Membership::join;
    if (before) entry->left_at = before->left_at;
    if (was_joined && !is_joined) entry->left_at = ordinal;
    joined_members_ += static_cast<int>(is_joined) - static_cast<int>(was_joined);
  }
  put_event(event);
  return before;
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
