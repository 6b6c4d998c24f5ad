#include "sync/assembler.h"

#include <algorithm>
#include <utility>

#include "backplane/matrix/client_event.h"
#include "sync/assembler_work.h"
#include "sync/write_room.h"

namespace backplane::sync_api {

using matrix::Membership;

std::string Assembler::nothing_new(std::string_view next_batch) {
  std::string body = "{\"next_batch\":\"";
  body += next_batch;
  body += "\"}";
  return body;
}

Result<SyncAnswer> Assembler::assemble(const Access& access, const SyncRequest& request) {
  BACKPLANE_TRY(device, model_.device(access, request.user, request.device));
  const SyncToken* since = request.since ? &*request.since : nullptr;
  const Filter& filter = *request.filter;
  Work work{access,
            request,
            filter,
            since,
            model_.view(request.user, device, since, request.full_state, filter.include_leave),
            filter.state.lazy_load_members ? &device->lazy : nullptr,
            {},
            {},
            {},
            clock_.wall_ms()};
  // Never back: what the client was told already stays told, though this host may not have followed that far.
  if (since != nullptr) {
    for (auto topic : {&SyncToken::room_events, &SyncToken::client_data, &SyncToken::receipts, &SyncToken::typing}) {
      if (!(work.view.now.*topic).covers(since->*topic)) (work.view.now.*topic).merge(since->*topic);
    }
    if (!work.view.now.send_to_device.covers(since->send_to_device)) {
      work.view.now.send_to_device.merge(since->send_to_device);
    }
  }
  std::erase_if(work.view.rooms, [&](const RoomView& room) { return !filter.allows_room(room.room->id.view()); });
  std::erase_if(work.view.pending, [&](const PendingView& room) { return !filter.allows_room(room.room_id.view()); });

  BACKPLANE_CHECK(plan_rooms(work));
  BACKPLANE_CHECK(plan_invites(work));
  BACKPLANE_CHECK(fetch(work));
  SyncAnswer answer;
  write(work, answer);
  answer.next = std::move(work.view.now);
  if (work.lazy != nullptr) {
    for (const RoomPlan& plan : work.plans) {
      for (const auto& [user, event_id] : plan.sent_members) work.lazy->add(plan.view.room->id, user, event_id);
    }
  }
  return answer;
}

Result<void> Assembler::plan_rooms(Work& work) const {
  const auto limit = std::min(work.filter.timeline.limit.value_or(options_.default_limit), options_.max_limit);
  const PlanContext context{.access = work.access,
                            .model = model_,
                            .store = store_,
                            .user = work.request.user->user,
                            .since = work.since,
                            .now = work.view.now,
                            .filter = work.filter,
                            .lazy = work.lazy,
                            .full_state = work.request.full_state,
                            .use_state_after = work.request.use_state_after,
                            .timeline_limit = limit};
  for (RoomView& view : work.view.rooms) {
    if (view.membership == Membership::invite || view.membership == Membership::knock) continue;
    BACKPLANE_TRY(plan, plan_room(context, std::move(view)));
    if (!plan.empty()) work.plans.push_back(std::move(plan));
  }
  return {};
}

Result<void> Assembler::plan_invites(Work& work) const {
  for (RoomView& view : work.view.rooms) {
    if (view.room == nullptr) continue;  // planned
    if (view.membership != Membership::invite && view.membership != Membership::knock) continue;
    BACKPLANE_TRY(tail, model_.tail(work.access, view.room));
    InvitePlan invite{view.room->id, view.membership, {}, nullptr};
    const Sequence at = std::max(view.since, tail->floor());
    for (const std::string_view type : matrix::stripped_state_types) {
      if (const auto found = tail->find_state(std::string(type), "", at); found && *found)
        invite.events.push_back((*found)->event_id);
    }
    invite.events.push_back(view.event_id);
    work.invites.push_back(std::move(invite));
  }
  for (PendingView& view : work.view.pending) {
    work.invites.push_back({view.room_id, view.pending.membership, {}, view.pending.stripped});
  }
  return {};
}

Result<void> Assembler::write_large_state(const Work& work, RoomPlan& plan) {
  const RoomWriter writer{work, plan.large_state};
  bool first = true;
  const std::vector<StateItem> state = std::exchange(plan.state, {});
  return events_.each(work.access, ids_of(state), [&](std::size_t place, const ClientEvent& event) {
    writer.state_event(plan, state[place], event, first);
  });
}

Result<void> Assembler::fetch(Work& work) {
  std::vector<EventId> wanted;
  for (RoomPlan& plan : work.plans) {
    for (const EntryPtr& entry : plan.timeline) {
      if (!entry->event) wanted.push_back(entry->event_id);
    }
    if (plan.state.size() > EventCache::held_at_once) {
      BACKPLANE_CHECK(write_large_state(work, plan));
      continue;
    }
    for (const StateItem& item : plan.state) wanted.push_back(item.event_id);
  }
  for (const InvitePlan& invite : work.invites) {
    wanted.insert(wanted.end(), invite.events.begin(), invite.events.end());
  }
  if (wanted.empty()) return {};
  BACKPLANE_TRY(found, events_.get(work.access, wanted));
  work.bodies = std::move(found);

  // Rows whose bodies are gone are skipped, and removed.
  std::vector<EventId> gone;
  for (RoomPlan& plan : work.plans) {
    std::erase_if(plan.timeline, [&](const EntryPtr& entry) {
      if (entry->event || work.bodies.contains(entry->event_id)) return false;
      model_.remove_event(plan.view.room, entry->event_id);
      gone.push_back(entry->event_id);
      return true;
    });
  }
  if (!gone.empty()) {
    log_.info("removed events without bodies", {{"count", gone.size()}});
    store_.submit(
        [gone](storage::Write& write) -> Result<void> {
          store::remove_events(write, gone);
          return {};
        },
        [](Result<void>) {});
  }
  return {};
}

}  // namespace backplane::sync_api
