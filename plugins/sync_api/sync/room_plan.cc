#include "sync/room_plan.h"

#include <algorithm>
#include <set>

#include "sync/state_delta.h"

namespace backplane::sync_api {

using matrix::Membership;

namespace {

constexpr std::size_t page_size = 100;
constexpr std::size_t max_scanned = 5000;  // rows looked at for one timeline, when a filter keeps few

/// Collects a timeline from its end.
class TimelineScan {
 public:
  TimelineScan(const PlanContext& context, RoomPlan& plan, Sequence lower, Sequence upper)
      : context_(context), plan_(plan), lower_(lower), upper_(upper) {
    plan.always_joined = plan.view.membership == Membership::join && plan.view.joined_since <= lower;
  }

  Result<void> run() {
    const RoomEventFilter& filter = context_.filter.timeline;
    if (filter.nothing() || !filter.allows_room(plan_.view.room->id.view())) return {};
    const Sequence floor = plan_.tail->floor();
    if (!plan_.always_joined) plan_.history = plan_.tail->history_of(context_.user);
    plan_.tail->each_back(lower_, upper_, [&](const EntryPtr& entry) { return take(entry); });
    if (!full_ && lower_ < floor) BACKPLANE_CHECK(scan_index(std::min(floor, upper_)));
    std::reverse(plan_.timeline.begin(), plan_.timeline.end());
    return {};
  }

 private:
  /// False when no more are wanted.
  bool take(const EntryPtr& entry) {
    if (entry->kind != EntryKind::timeline) return true;
    if (!context_.filter.timeline.allows(entry->type, entry->sender)) return true;
    if (entry->event && !context_.filter.timeline.allows_content(entry->event->event.content())) return true;
    const bool visible = plan_.always_joined ||
                         (plan_.view.membership == Membership::join && entry->sequence >= plan_.view.joined_since) ||
                         plan_.history.may_see(entry->sequence, entry->visibility) ||
                         is_own_membership(*entry, context_.user);
    if (!visible) return true;
    if (plan_.timeline.size() == context_.timeline_limit) {
      plan_.limited = true;
      full_ = true;
      return false;
    }
    plan_.timeline.push_back(entry);
    return true;
  }

  Result<void> scan_index(Sequence from) {
    if (!context_.access.may_block) return would_block();
    if (!plan_.always_joined) {
      BACKPLANE_TRY(history,
                    full_history(context_.access, context_.model, context_.store, plan_.view.room->id, context_.user));
      plan_.history = std::move(history);
    }
    std::size_t scanned = 0;
    for (Sequence upto = from; !full_ && upto > lower_;) {
      BACKPLANE_TRY(entries, context_.store.read([&](storage::Session& session) -> std::vector<EntryPtr> {
        const auto row = store::find_room(session, plan_.view.room->id);
        if (!row) return {};
        return store::timeline_back(session, *row, lower_, upto, page_size);
      }));
      for (const EntryPtr& entry : entries) {
        if (!take(entry)) return {};
      }
      if (entries.size() < page_size) return {};
      upto = entries.back()->sequence - 1;
      scanned += entries.size();
      if (scanned >= max_scanned) {
        plan_.limited = true;
        return {};
      }
    }
    return {};
  }

  const PlanContext& context_;
  RoomPlan& plan_;
  const Sequence lower_, upper_;
  bool full_ = false;
};

bool membership_changed(const RoomTail& tail, Sequence after, Sequence upto) {
  if (after < tail.floor()) return true;
  bool changed = false;
  tail.each_back(after, upto, [&](const EntryPtr& entry) {
    changed =
        entry->membership.has_value() || (entry->change && entry->change->type != "m.room.member" &&
                                          (entry->type == "m.room.name" || entry->type == "m.room.canonical_alias"));
    return !changed;
  });
  return changed;
}

/// Spec, room summary: heroes are required when the room has neither a name nor a canonical alias.
bool needs_heroes(const RoomTail& tail, Sequence at) {
  for (const char* type : {"m.room.name", "m.room.canonical_alias"}) {
    const auto found = tail.find_state(type, "", at);
    if (found && *found) return false;
  }
  return true;
}

/// So that it neither wakes a poll nor makes an answer of nothing.
void drop_what_is_filtered(const Filter& filter, RoomView& view) {
  const std::string_view room = view.room->id.view();
  const bool ephemeral = filter.ephemeral.allows_room(room);
  if (!ephemeral || !filter.ephemeral.allows_type("m.typing")) view.typing.reset();
  if (!ephemeral || !filter.ephemeral.allows_type("m.receipt")) view.has_receipts = false;
  if (!filter.room_account_data.allows_room(room)) view.account_data.clear();
  std::erase_if(view.account_data,
                [&](const AccountDataView& d) { return !filter.room_account_data.allows_type(d.type); });
}

}  // namespace

Result<MembershipHistory> full_history(const Access& access, ReadModel& model, storage::Store& store,
                                       const RoomId& room, const UserId& user) {
  BACKPLANE_CHECK(model.index_room(access, room));
  if (!access.may_block) return would_block();
  return store.read([&](storage::Session& session) -> MembershipHistory {
    const auto row = store::find_room(session, room);
    return row ? store::membership_history(session, *row, user) : MembershipHistory();
  });
}

Result<RoomPlan> plan_room(const PlanContext& context, RoomView view) {
  RoomPlan plan;
  plan.view = std::move(view);
  drop_what_is_filtered(context.filter, plan.view);
  const bool joined = plan.view.membership == Membership::join;
  const Sequence told = context.since == nullptr ? 0 : context.since->room_events.of(plan.view.lane);
  const Sequence upper = joined ? std::max(context.now.room_events.of(plan.view.lane), told) : plan.view.since;
  // A client that was not in the room at its token gets the room as at first sight.
  const bool first_time = context.since == nullptr || plan.view.joined_since > told;
  plan.initial = first_time || context.full_state;
  plan.start = upper + 1;

  if (plan.view.has_events || plan.view.has_receipts) {
    BACKPLANE_TRY(tail, context.model.tail(context.access, plan.view.room));
    plan.tail = std::move(tail);
  }
  if (plan.view.has_events) {
    const Sequence lower = std::max(first_time ? 0 : told, plan.view.forgotten);
    BACKPLANE_CHECK(TimelineScan(context, plan, lower, upper).run());
    if (!plan.timeline.empty()) plan.start = plan.timeline.front()->sequence;
    BACKPLANE_CHECK(plan_state(context, plan, told, upper));
    if (joined && (plan.initial || membership_changed(*plan.tail, told, upper))) {
      plan.summary = plan.tail->summary();
      plan.heroes = needs_heroes(*plan.tail, upper);
      if (plan.heroes) BACKPLANE_CHECK(plan_heroes(context, plan, upper));
    }
  }
  if (plan.view.has_receipts) {
    const bool all = first_time || context.since == nullptr;
    plan.receipts = plan.tail->receipts_after(all ? log::Positions() : context.since->receipts, context.now.receipts);
    std::erase_if(plan.receipts, [&](const store::Receipt& receipt) {
      return receipt.type == "m.read.private" && receipt.user != context.user.view();
    });
  }
  return plan;
}

}  // namespace backplane::sync_api
