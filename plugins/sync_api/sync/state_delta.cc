#include "sync/state_delta.h"

#include <algorithm>
#include <set>

namespace backplane::sync_api {

namespace {

constexpr std::string_view member_type = "m.room.member";
constexpr std::size_t heroes_shown = 5;

Result<std::vector<StateItem>> state_at(const PlanContext& context, const RoomPlan& plan, Sequence at, bool members) {
  if (auto items = plan.tail->state_at(at, members)) return std::move(*items);
  BACKPLANE_CHECK(context.model.index_room(context.access, plan.view.room->id));
  if (!context.access.may_block) return would_block();
  return context.store.read([&](storage::Session& session) -> std::vector<StateItem> {
    const auto row = store::find_room(session, plan.view.room->id);
    if (!row) return {};
    auto items = store::state_at(session, *row, at);
    if (!members) std::erase_if(items, [](const StateItem& item) { return item.type == member_type; });
    return items;
  });
}

Result<std::optional<StateItem>> member_at(const PlanContext& context, const RoomPlan& plan, const std::string& user,
                                           Sequence at) {
  if (auto found = plan.tail->find_state(std::string(member_type), user, at)) return std::move(*found);
  BACKPLANE_CHECK(context.model.index_room(context.access, plan.view.room->id));
  if (!context.access.may_block) return would_block();
  return context.store.read([&](storage::Session& session) -> std::optional<StateItem> {
    const auto row = store::find_room(session, plan.view.room->id);
    return row ? store::find_state(session, *row, member_type, user, at) : std::nullopt;
  });
}

/// What changed in (told, upper] and is not in the timeline, the latest of each piece.
Result<std::vector<StateItem>> changes(const PlanContext& context, const RoomPlan& plan, Sequence told,
                                       Sequence upper) {
  std::vector<StateItem> items;
  std::set<StateKey> seen;
  std::unordered_set<std::string_view> in_timeline;
  if (!context.use_state_after) {
    for (const EntryPtr& entry : plan.timeline) in_timeline.insert(entry->event_id.view());
  }
  const Sequence floor = plan.tail->floor();
  plan.tail->each_back(std::max(told, floor), upper, [&](const EntryPtr& entry) {
    if (!entry->change || in_timeline.contains(entry->change->new_event_id.view())) return true;
    const api::StateChange& change = *entry->change;
    if (!seen.emplace(change.type, change.state_key).second || change.new_event_id.empty()) return true;
    const auto membership = entry->membership ? matrix::membership_from(entry->membership->after) : std::nullopt;
    items.push_back({change.type, change.state_key, change.new_event_id, entry->sequence,
                     membership.value_or(matrix::Membership::leave)});
    return true;
  });
  if (told >= floor) return items;
  BACKPLANE_CHECK(context.model.index_room(context.access, plan.view.room->id));
  if (!context.access.may_block) return would_block();
  const Sequence upto = std::min({floor, upper, context.use_state_after ? upper : plan.start - 1});
  BACKPLANE_TRY(older, context.store.read([&](storage::Session& session) -> std::vector<StateItem> {
    const auto row = store::find_room(session, plan.view.room->id);
    if (!row) return {};
    return store::state_changes(session, *row, told, upto);
  }));
  for (StateItem& item : older) {
    if (in_timeline.contains(item.event_id.view()) || !seen.emplace(item.type, item.state_key).second) continue;
    items.push_back(std::move(item));
  }
  return items;
}

/// Adds a member's event that the session has not seen.
Result<void> add_member(const PlanContext& context, RoomPlan& plan, const std::string& user, Sequence at) {
  BACKPLANE_TRY(member, member_at(context, plan, user, at));
  if (!member) return {};
  const auto same = [&](const StateItem& item) { return item.event_id == member->event_id; };
  if (std::any_of(plan.state.begin(), plan.state.end(), same)) return {};
  const bool known = context.lazy != nullptr && context.lazy->knows(plan.view.room->id, user, member->event_id);
  if (known && !context.filter.state.include_redundant_members) return {};
  plan.sent_members.emplace_back(user, member->event_id);
  plan.state.push_back(std::move(*member));
  return {};
}

}  // namespace

Result<void> plan_state(const PlanContext& context, RoomPlan& plan, Sequence told, Sequence upper) {
  const RoomEventFilter& filter = context.filter.state;
  const RoomId& room = plan.view.room->id;
  if (filter.nothing() || !filter.allows_room(room.view())) return {};
  const bool lazy = filter.lazy_load_members;
  Sequence upto = context.use_state_after ? upper : plan.start - 1;
  if (plan.view.membership != matrix::Membership::join) {
    // One who was never in the room sees nothing of its state, nor one who was of what came later: a kick may be
    // followed by a ban, or by an invite that is rejected.
    if (plan.view.joined_since == 0 || (!plan.initial && told >= plan.view.left_at)) return {};
    upper = std::min(upper, plan.view.left_at);
    upto = std::min(upto, plan.view.left_at);
  }
  if (plan.initial) {
    BACKPLANE_TRY(items, state_at(context, plan, upto, !lazy));
    plan.state = std::move(items);
  } else {
    BACKPLANE_TRY(items, changes(context, plan, told, upper));
    plan.state = std::move(items);
  }
  std::erase_if(plan.state, [&](const StateItem& item) { return !filter.allows_type(item.type); });
  if (!lazy || !filter.allows_type(member_type)) return {};

  // Spec: the members whose events are in the timeline; the reader on a join or with the full state; and whatever
  // changed in a gap, sent before or not.
  for (const StateItem& item : plan.state) {
    if (item.type == member_type) plan.sent_members.emplace_back(item.state_key, item.event_id);
  }
  std::set<std::string> wanted;
  for (const EntryPtr& entry : plan.timeline) wanted.insert(entry->sender);
  if (plan.initial) wanted.insert(context.user.str());
  for (const std::string& user : wanted) BACKPLANE_CHECK(add_member(context, plan, user, upto));
  for (const EntryPtr& entry : plan.timeline) {
    if (entry->type == member_type && entry->state_key)
      plan.sent_members.emplace_back(*entry->state_key, entry->event_id);
  }
  return {};
}

Result<void> plan_heroes(const PlanContext& context, RoomPlan& plan, Sequence upper) {
  const RoomEventFilter& filter = context.filter.state;
  if (!filter.lazy_load_members || filter.nothing() || !filter.allows_type(member_type)) return {};
  if (!filter.allows_room(plan.view.room->id.view())) return {};
  const Sequence upto = context.use_state_after ? upper : plan.start - 1;
  std::size_t shown = 0;
  for (const std::string& hero : plan.summary->heroes) {
    if (hero == context.user.view() || shown == heroes_shown) continue;
    ++shown;
    BACKPLANE_CHECK(add_member(context, plan, hero, upto));
  }
  return {};
}

}  // namespace backplane::sync_api
