// Which state events a room's part of /sync carries (Client-Server API, "Syncing" and "Lazy-loading room members").
#pragma once

#include "sync/room_plan.h"

namespace backplane::sync_api {

/// Fills in plan.state: all state up to the timeline for a room that is new to the client, otherwise what changed
/// since `told` and is not in the timeline. With use_state_after up to the timeline's end.
Result<void> plan_state(const PlanContext& context, RoomPlan& plan, Sequence told, Sequence upper);
/// Spec: with lazy loading, the heroes' membership events go with them.
Result<void> plan_heroes(const PlanContext& context, RoomPlan& plan, Sequence upper);

}  // namespace backplane::sync_api
